"""`/console/policies`: the policy in force and those to come, drafts with what they would change, and activating one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.eligibility.domain.activations import Told, instant_in, version_before
from services.eligibility.domain.drafts import MOST_BYTES, Draft, in_one_folder, packed, unpacked
from services.eligibility.domain.pause_changes import Author
from services.eligibility.domain.pauses import PauseVersion, strange_to
from services.eligibility.domain.policies import Activation, PolicyVersion
from services.eligibility.pages.console.accounts import require_why
from services.eligibility.pages.console.categories import labels_of
from services.eligibility.pages.console.frame import AdminVisit, Console, OperatorVisit, Visit
from services.eligibility.use_cases.drafts import ChangePolicy, Compared, Drafts, NoSuchPolicy
from services.eligibility.use_cases.policies import Rules
from shared.clock import Clock
from shared.errors import Conflict, FieldError, Malformed, Permanent, Refused
from shared.policy.base import DEFAULT_LOCALE
from shared.policy.differences import SIGNATURE, Difference
from shared.policy.pack import PolicyDocument
from shared.web.downloads import saved
from shared.web.layout import moment
from shared.web.problem import not_found

PATH: Final = "/console/policies"
STATE_WORDS: Final = {"in_force": ("met", "In force"), "to_come": ("pending", "To come"), "over": ("over", "Over")}
WHAT_WORDS: Final = {"added": "New", "removed": "Gone", "changed": "Changed"}
SECTION_WORDS: Final = {
    "categories": "Kinds of organisation",
    "criteria": "Criteria",
    "questions": "Questions",
    "evidence": "Documents",
    "commitments": "Commitments",
    "declarations": "What every new member must do",
    "nominees": "People to name",
    "benefits": "Benefits",
    "pauses": "Pauses",
    "texts": "Texts",
    "lists": "Reference lists",
    "facts": "Derived facts",
    "groups": "Pages of the form",
    "liaison": "Liaison",
    "identity": "How organisations are recognised",
}


class PolicyPages:
    """The pages, over what they show."""

    def __init__(self, rules: Rules, clock: Clock, drafts: Drafts, changing: ChangePolicy) -> None:
        self.drafts = drafts
        self.changing = changing
        self._rules = rules
        self._clock = clock

    async def overview(self, visit: Visit, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        """What is in force, what is to come, the drafts, and what happened."""
        views = await self.changing.told()
        history = await self.changing.activations()
        before = version_before(history)
        labels = {each.policy_hash: each.version_label for each in views}
        return visit.page(
            "console/policies.html",
            problems=problems,
            current=next((each for each in views if each.state == "in_force"), None),
            to_come=_to_come(views),
            history=list(reversed(views)),
            drafts=await self.drafts.headings(),
            activated={each.policy_hash for each in views},
            back_to=labels[before.policy_hash] if before else None,
            number=max((each.number for each in views), default=0),
            states=STATE_WORDS,
            zone=(await self._now_in_force()).zone,
        )

    async def one(self, visit: Visit, name: str, problems: Permanent | tuple[()] = ()) -> HTMLResponse:
        """A draft or a version: what is wrong with it, or what it would change. Raises Problem 404."""
        draft = await self._draft(name)
        query, now = visit.request.query_params, await self._now_in_force()
        category = query.get("category", "")
        views = await self.changing.told()
        compared = None
        if draft is None or draft.policy is not None:
            compared = await self._compared(name, query.get("base", ""), category)
        document = compared.after.document if compared else None
        return visit.page(
            "console/policy.html",
            problems=problems,
            name=name,
            draft=draft,
            mistakes=_mistakes(draft) if draft else [],
            document=document,
            compared=compared,
            sections=_sections(compared) if compared else [],
            new_signature=any(each.section == SIGNATURE for each in (compared.found if compared else ())),
            whats=WHAT_WORDS,
            own=[each for each in reversed(views) if compared and each.policy_hash == compared.after.hash],
            states=STATE_WORDS,
            bases=_bases(views),
            categories=now.categories(document),
            strange=now.strange_to(document) if document else {},
            base=query.get("base", ""),
            category=category,
            zone=now.zone,
            number=max((each.number for each in views), default=0),
        )

    async def said(self, made: Activation) -> str:
        """What is said once a version is activated."""
        zone = (await self._now_in_force()).zone
        return f"It is on record. It comes into force on {moment(made.effective_from, zone)}."

    async def _compared(self, name: str, base: str, category: str) -> Compared:
        try:
            return await self.changing.compare(name, base or None, DEFAULT_LOCALE, category or None)
        except NoSuchPolicy:
            raise not_found("policy") from None

    async def _draft(self, name: str) -> Draft | None:
        try:
            return await self.drafts.get(name)
        except NoSuchPolicy:
            return None

    async def _now_in_force(self) -> _InForce:
        rulebook, reading = await self._rules.current(), await self._clock.read()
        return _InForce(rulebook.policy_at(reading.now), rulebook.pauses, reading.now)


class _InForce:
    """What the pages need of the policy in force, and of the pauses."""

    def __init__(self, version: PolicyVersion, pauses: Sequence[PauseVersion], now: datetime) -> None:
        self._document = version.document
        self._pauses = pauses
        self._now = now

    def strange_to(self, document: PolicyDocument) -> dict[str, list[str]]:
        """The pauses that name kinds of organisation which another policy does not have, with these kinds."""
        return strange_to(self._pauses, document.categories, self._now)

    @property
    def zone(self) -> str:
        """By whose clocks dates are written: those of the people who answer requests."""
        return self._document.liaison.timezone if self._document.liaison else "UTC"

    def categories(self, document: PolicyDocument | None) -> list[tuple[str, str]]:
        """The kinds of organisation of this policy and of another one, as options."""
        return [("", "Everything"), *labels_of(self._document, *([document] if document else [])).items()]


def routes(console: Console, pages: PolicyPages) -> APIRouter:
    """The pages and drafts for everyone, activating for administrators."""
    console.entry("Rules", "Policies", PATH, order=20)
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def show(visit: OperatorVisit) -> HTMLResponse:
        return await pages.overview(visit)

    @router.post(PATH)
    async def send_draft(visit: OperatorVisit) -> Response:
        try:
            draft = await pages.drafts.take(await _sent(visit), Author(visit.name, visit.text("note")[:1000]))
        except Malformed as error:
            return await pages.overview(visit, Refused("", [FieldError("/files", f"cannot be read. {error}")]))
        except Refused as error:
            return await pages.overview(visit, error)
        told = "It has mistakes: they are below." if draft.errors else "It has no mistakes. It changes nothing so far."
        return visit.done(f"{PATH}/{draft.id}", f"The draft is kept. {told}")

    @router.post(f"{PATH}/rollback")
    async def roll_back(visit: AdminVisit) -> Response:
        try:
            made = await pages.changing.roll_back(Author(visit.name, require_why(visit)), _number(visit))
        except (Refused, Conflict) as error:
            return await pages.overview(visit, error)
        return visit.done(PATH, await pages.said(made))

    @router.get(f"{PATH}/{{name}}/pack.zip")
    async def download(_: OperatorVisit, name: str) -> Response:
        try:
            draft = await pages.drafts.get(name)
        except NoSuchPolicy:
            raise not_found("draft") from None
        return saved(f"{draft.folder}.zip", "application/zip", packed(draft.files, draft.folder))

    @router.get(f"{PATH}/{{name}}")
    async def show_one(visit: OperatorVisit, name: str) -> HTMLResponse:
        return await pages.one(visit, name)

    @router.post(f"{PATH}/{{name}}")
    async def activate(visit: AdminVisit, name: str) -> Response:
        try:
            when = instant_in("effective_from", visit.text("effective_from") or None, visit.text("timezone"))
            author = Author(visit.name, require_why(visit))
            made = await pages.changing.activate(name, when, author, _number(visit))
        except NoSuchPolicy:
            raise not_found("policy") from None
        except (Refused, Conflict) as error:
            return await pages.one(visit, name, error)
        return visit.done(PATH, await pages.said(made))

    return router


async def _sent(visit: Visit) -> dict[str, bytes]:
    """The pack that a form brings: one ZIP archive, or its files. Raises Malformed, Refused."""
    files = visit.files("files")
    contents = [await each.read(MOST_BYTES + 1) for each in files]
    if len(files) == 1 and (files[0].filename or "").lower().endswith(".zip"):
        return unpacked(contents[0])
    named = {str(each.filename): content for each, content in zip(files, contents, strict=True)}
    if lists := [name for name in named if name.endswith(".csv") and "/" not in name]:
        named |= {f"lists/{name}": named.pop(name) for name in lists}  # a browser sends files without their folder
    return in_one_folder(named)


def _to_come(views: Sequence[Told]) -> list[Told]:
    """The changes to come; one by which the same version goes on, as after a rolling back, is none."""
    standing = [each for each in views if each.state == "in_force"]
    coming = sorted((each for each in views if each.state == "to_come"), key=lambda each: each.effective_from)
    in_order = [*standing, *coming]
    return [after for before, after in pairwise(in_order) if before.policy_hash != after.policy_hash]


def _number(visit: Visit) -> int | None:
    seen = visit.text("number")
    return int(seen) if seen.isdecimal() else None


def _sections(compared: Compared) -> list[tuple[str, list[Difference]]]:
    return [
        (SECTION_WORDS.get(section, section), list(found))
        for section, found in groupby(compared.found, key=lambda each: each.section)
        if section != SIGNATURE
    ]


def _mistakes(draft: Draft) -> list[tuple[str, int, str, str]]:
    """File, line, what is wrong, and what stands in that line."""
    lines = {name: content.decode("utf-8", "replace").splitlines() for name, content in draft.files.items()}

    def line_of(file: str, number: int) -> str:
        found = lines.get(file, [])
        return found[number - 1].strip()[:200] if 0 < number <= len(found) else ""

    return [(each.file, each.line, each.message, line_of(each.file, each.line)) for each in draft.errors]


def _bases(views: Sequence[Told]) -> list[tuple[str, str]]:
    """Versions that a draft can be compared with, each once, as options."""
    versions = {each.policy_hash: each.version_label for each in views}
    return [("", "The one in force"), *versions.items()]
