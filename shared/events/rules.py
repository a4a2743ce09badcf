"""Policies and pauses, as those who apply them are told of them."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from shared.application import Published
from shared.policy.pack import PolicyDocument


class PolicyActivated(Published):
    """A policy version, whole, with the instant from which it is in force, until the next one is. The same version may be
    activated again: `number` counts the activations of all policies, and of two at one instant the greater holds. It is 0
    for those of before they were counted."""

    policy_hash: str
    number: int = Field(default=0, ge=0, exclude_if=lambda number: not number)
    effective_from: AwareDatetime
    document: PolicyDocument


class PauseChanged(Published):
    """A pause as it now stands, in one of its versions. Takes effect at `effective_from`."""

    pause_id: str
    version: int
    effective_from: AwareDatetime
    pause: dict[str, Any]
