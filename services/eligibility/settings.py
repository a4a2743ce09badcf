"""The settings of the eligibility service."""

from __future__ import annotations

from pathlib import Path

from shared.settings import PlatformSettings


class Settings(PlatformSettings):
    """`policy` is the folder of the policy pack; it may be relative to the working directory."""

    http_port: int = 8081
    policy: Path = Path("policies/weprotect")
