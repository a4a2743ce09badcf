"""Settings: `ACCEDE_…` variables, or files named by `ACCEDE_…_FILE` (secrets are files). Wrong ones end the process
with a sentence that says which, why and what to write instead."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TypeVar

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "ACCEDE_"
EX_CONFIG = 78


class FileSource(PydanticBaseSettingsSource):
    """Reads `ACCEDE_NAME_FILE`: the setting is that file's content, without the trailing newline."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{PREFIX}{field_name.upper()}"
        path = os.environ.get(f"{variable}_FILE")
        if not path:
            return None, field_name, False
        if os.environ.get(variable):
            raise SettingsUnreadable(f"{variable} and {variable}_FILE are both set: unset one of them.")
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise SettingsUnreadable(f"{variable}_FILE names {path}, which cannot be read: {reason}.") from error

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        faults: list[str] = []
        for name, field in self.settings_cls.model_fields.items():
            try:
                value = self.get_field_value(field, name)[0]
            except SettingsUnreadable as error:
                faults += error.sentences
                continue
            if value is not None:
                found[name] = value
        if faults:
            raise SettingsUnreadable(*faults)
        return found


class SettingsUnreadable(Exception):
    """Settings files cannot be read; a sentence each."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(*sentences)
        self.sentences = sentences


class PlatformSettings(BaseSettings):
    """What every service needs. A service adds its own in `services/<name>/settings.py`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    mongo_url: SecretStr = SecretStr("mongodb://127.0.0.1:27017/?replicaSet=rs0")
    mongo_database: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,38}$")] = ""
    rabbitmq_url: SecretStr = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    namespace: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")] = "accede"
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    api_keys: SecretStr = SecretStr("")
    link_secret: SecretStr = SecretStr("")
    public_url: Annotated[str, Field(pattern=r"^https?://")] = "http://127.0.0.1:8080"
    eligibility_url: Annotated[str, Field(pattern=r"^https?://")] = "http://127.0.0.1:8081"
    notifications_url: Annotated[str, Field(pattern=r"^https?://")] = "http://127.0.0.1:8082"
    clock_settable: bool = False
    log_level: Annotated[str, Field(pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @field_validator("mongo_url", "rabbitmq_url")
    @classmethod
    def _address(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        pattern, example = _ADDRESSES[str(info.field_name)]
        if not re.fullmatch(pattern, value.get_secret_value()):
            raise ValueError(f"It must look like {example}")  # without the value: it holds a password
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, FileSource(settings_cls), env_settings


_ADDRESSES: Final = {
    "mongo_url": (r"mongodb(\+srv)?://[^/?#\s]+(/\S*)?", "mongodb://user:password@host:27017/?replicaSet=rs0"),
    "rabbitmq_url": (
        r"amqps?://([^@/?#\s]+@)?(\[[\da-fA-F:]+\]|[^@:/?#\s]+)(:\d{1,5})?([/?]\S*)?",
        "amqp://user:password@host:5672/",
    ),
}

Settings = TypeVar("Settings", bound=PlatformSettings)


def load(kind: type[Settings], **overrides: Any) -> Settings:
    """The settings from the environment.

    Raises:
        SystemExit: with code 78 (EX_CONFIG) after a sentence for each wrong setting on standard error.
    """
    try:
        return kind(**overrides)
    except SettingsUnreadable as error:
        refuse(*error.sentences)
    except ValidationError as error:
        refuse(*(_sentence(item) for item in error.errors()))


def _sentence(item: Mapping[str, Any]) -> str:
    fault = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:
        return f"{fault}."
    name = PREFIX + str(item["loc"][0]).upper()
    return f"{name}: {fault}. Set {name}, or {name}_FILE to a file that holds it."


def refuse(*sentences: str) -> NoReturn:
    """End the process with status 78 (EX_CONFIG), a sentence for each wrong setting on standard error."""
    print("Accede cannot start: its settings are wrong.", file=sys.stderr)
    for sentence in sentences:
        print(f"  {sentence}", file=sys.stderr)
    raise SystemExit(EX_CONFIG)
