"""The people an application nominates, as its policy says which questions name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.application import id_of
from shared.policy.answers import is_blank
from shared.policy.base import Localised, Value
from shared.policy.pack import PolicyDocument


@dataclass(frozen=True, slots=True)
class Nominated:
    """One person of an application. `role` is the id of a nominee of the policy, `label` what that role is called."""

    role: str
    label: Localised
    name: str
    email: str

    def nomination_id(self, application_id: str) -> str:
        """The same for as long as an application names this address in this role, however often it is amended."""
        return nomination_id(application_id, self.role, self.email)


def nomination_id(application_id: str, role: str, email: str) -> str:
    """The id of a nomination. How the address is capitalised does not matter."""
    return id_of("nomination", application_id, role, email.strip().casefold())


def nominated(document: PolicyDocument, values: Mapping[str, Value]) -> tuple[Nominated, ...]:
    """Whom these answers (or the evidence kept of them) name, in the policy's order; who has no address is left out."""
    found = []
    for nominee in document.nominees:
        name, email = values.get(nominee.name), values.get(nominee.email)
        if isinstance(email, str) and not is_blank(email):
            told = name.strip() if isinstance(name, str) and not is_blank(name) else email.strip()
            found.append(Nominated(nominee.id, nominee.label, told, email.strip()))
    return tuple(found)
