"""Intake's settings, beside those of every service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.settings import PlatformSettings


class Settings(PlatformSettings):
    """`import_max_bytes`: the largest file taken in. `import_chunk`: rows stored in one write. `reconcile_after`:
    seconds of real time after which an unanswered application is emitted again. `partner_queue`: whether what partners
    send is taken in; otherwise it waits."""

    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    import_max_bytes: Annotated[int, Field(ge=1024, le=16 << 30)] = 512 << 20
    import_chunk: Annotated[int, Field(ge=1, le=500)] = 250
    reconcile_after: Annotated[float, Field(ge=1, le=86400)] = 60.0
    partner_queue: bool = True
