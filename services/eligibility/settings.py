"""The settings of the eligibility service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from shared.settings import PlatformSettings


class Settings(PlatformSettings):
    """`policy` is the folder of the policy pack; it may be relative to the working directory. `case_working_days`: within
    how many working days an applicant whose application needs people is to hear from them. `bulk_lease_seconds`: after which
    another replica goes on with the bulk action of one that died."""

    http_port: int = 8081
    policy: Path = Path("policies/weprotect")
    case_working_days: int = Field(default=15, ge=1, le=250)
    bulk_lease_seconds: float = Field(default=15, ge=1, le=600)
