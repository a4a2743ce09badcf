"""Settings of the notifications service, beside the platform's."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from shared.settings import PlatformSettings


class Settings(PlatformSettings):
    """`ACCEDE_SMTP_…` say where emails go, `ACCEDE_MAIL_…` who they are from, `ACCEDE_DISPATCH_…` at which pace.

    All `…_seconds` are seconds. `dispatch_lease_seconds` is how long emails wait that a killed process was sending;
    `smtp_reply_seconds` how long to wait for the reply after the final dot.
    """

    http_port: Annotated[int, Field(ge=0, le=65535)] = 8082

    smtp_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 1025
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    smtp_hello: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]*$", max_length=253)] = ""
    smtp_connections: Annotated[int, Field(ge=1, le=64)] = 4
    smtp_command_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    smtp_reply_seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0

    mail_from: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")] = "membership@alliance.example"
    mail_from_name: str = "Membership secretariat"

    dispatch_batch: Annotated[int, Field(ge=1, le=1000)] = 200
    dispatch_interval_seconds: Annotated[float, Field(gt=0, le=60)] = 0.5
    dispatch_lease_seconds: Annotated[float, Field(ge=0.5, le=3600)] = 30.0
    dispatch_retry_seconds: Annotated[float, Field(ge=0, le=86400)] = 30.0
    dispatch_retry_longest_seconds: Annotated[float, Field(ge=0, le=86400)] = 3600.0
    dispatch_give_up_seconds: Annotated[float, Field(ge=0)] = 3 * 86400.0

    @model_validator(mode="after")
    def _credentials_over_tls(self) -> Self:
        if self.smtp_password.get_secret_value() and self.smtp_tls == "none":
            raise ValueError("a password is never sent in the clear: set ACCEDE_SMTP_TLS to starttls or tls")
        return self
