"""Settings come from variables or files; wrong ones end the process with sentences that repeat no secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, SecretStr

from shared import settings
from shared.settings import EX_CONFIG, PlatformSettings

NAMES = [f"ACCEDE_{name.upper()}" for name in PlatformSettings.model_fields]


Refused = Callable[..., str]
"""Loads the settings with these variables; what was said on standard error when it ended."""


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, "ACCEDE_SHARES"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    def load(kind: type[PlatformSettings] = PlatformSettings, **variables: str) -> str:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as caught:
            settings.load(kind)
        assert caught.value.code == EX_CONFIG
        return capsys.readouterr().err

    return load


def test_without_any_variable_everything_is_local() -> None:
    loaded = settings.load(PlatformSettings)
    assert loaded.http_host == "127.0.0.1"
    assert "127.0.0.1" in loaded.rabbitmq_url.get_secret_value()
    assert not loaded.clock_settable


def test_a_variable_counts_more_than_the_default_and_an_argument_more_than_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACCEDE_NAMESPACE", "mine")
    assert settings.load(PlatformSettings).namespace == "mine"
    assert settings.load(PlatformSettings, namespace="other").namespace == "other"


def test_a_file_holds_a_setting_without_its_last_line_break(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first\nsecond\r\n", encoding="utf-8")
    monkeypatch.setenv("ACCEDE_LINK_SECRET_FILE", str(secret))
    monkeypatch.setenv("ACCEDE_LINK_SECRET", "")  # as compose passes what is not set
    assert settings.load(PlatformSettings).link_secret.get_secret_value() == "first\nsecond"


def test_empty_variables_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")
        monkeypatch.setenv(f"{name}_FILE", "")
    assert settings.load(PlatformSettings) == PlatformSettings.model_construct()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ACCEDE_HTTP_PORT", "eighty"),
        ("ACCEDE_HTTP_PORT", "65536"),
        ("ACCEDE_NAMESPACE", "No Spaces"),
        ("ACCEDE_PUBLIC_URL", "ftp://example.org"),
        ("ACCEDE_CLOCK_SETTABLE", "perhaps"),
        ("ACCEDE_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_write(refused: Refused, variable: str, value: str) -> None:
    said = refused(**{variable: value})
    assert f"{variable}: " in said
    assert f"{variable}_FILE" in said
    assert "Accede cannot start" in said


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ACCEDE_MONGO_URL", "http://user:hidden@host/"),
        ("ACCEDE_MONGO_URL", "hidden"),
        ("ACCEDE_RABBITMQ_URL", "amqp://user:hidden@host:port/"),
        ("ACCEDE_RABBITMQ_URL", "amqp://user:hidden@/"),
        ("ACCEDE_RABBITMQ_URL", "user:hidden@host"),
    ],
)
def test_a_wrong_address_is_refused_without_its_password(refused: Refused, variable: str, value: str) -> None:
    said = refused(**{variable: value})
    assert f"{variable}: It must look like " in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mongo_url", "mongodb://a:27017,b:27017/?replicaSet=rs0"),
        ("mongo_url", "mongodb+srv://user:p%40ss@cluster.example.org/"),
        ("rabbitmq_url", "amqps://user:p%2Fss@broker.example.org/vhost?heartbeat=5"),
        ("rabbitmq_url", "amqp://broker"),
        ("rabbitmq_url", "amqp://[::1]:5672/"),
    ],
)
def test_addresses_that_are_right(name: str, value: str) -> None:
    loaded = settings.load(PlatformSettings, **{name: SecretStr(value)})
    assert getattr(loaded, name).get_secret_value() == value


def test_every_wrong_setting_is_told_at_once(refused: Refused) -> None:
    said = refused(ACCEDE_HTTP_PORT="x", ACCEDE_NAMESPACE="X", ACCEDE_LOG_LEVEL="x")
    assert said.count("Set ACCEDE_") == 3


def test_every_unreadable_file_is_told_at_once_with_its_path_and_why(refused: Refused, tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfehidden")
    said = refused(
        ACCEDE_MONGO_URL_FILE=str(tmp_path / "missing"),
        ACCEDE_LINK_SECRET_FILE=str(tmp_path),
        ACCEDE_API_KEYS_FILE=str(binary),
        ACCEDE_NAMESPACE="a",
        ACCEDE_NAMESPACE_FILE=str(binary),
    )
    assert "missing, which cannot be read: No such file or directory" in said
    assert "Is a directory" in said
    assert "not UTF-8" in said
    assert "ACCEDE_NAMESPACE and ACCEDE_NAMESPACE_FILE are both set" in said
    assert "hidden" not in said


def test_a_services_own_setting_is_refused_in_the_same_words(refused: Refused) -> None:
    class Settings(PlatformSettings):
        shares: Annotated[int, Field(ge=1)]

    assert "ACCEDE_SHARES: Field required. Set ACCEDE_SHARES" in refused(Settings)


def test_secrets_are_not_shown() -> None:
    shown = repr(settings.load(PlatformSettings, link_secret=SecretStr("hidden"), api_keys=SecretStr("hidden")))
    assert "hidden" not in shown
    assert "guest:guest" not in shown
