"""Settings that cannot work are refused when the service starts."""

from __future__ import annotations

import pytest

from services.notifications.app import create_app
from services.notifications.settings import Settings
from shared import settings as environment

SECRET = {"link_secret": "0123456789abcdef" * 4}


def test_a_password_is_not_sent_in_the_clear(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACCEDE_SMTP_PASSWORD", "hunter2")
    with pytest.raises(SystemExit) as ended:
        environment.load(Settings)
    said = capsys.readouterr().err
    assert ended.value.code == 78
    assert "never sent in the clear" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("sender", ["müller@alliance.example", "membership@alliance", "a b@alliance.example"])
def test_a_sender_that_no_server_takes_is_refused(sender: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        create_app(environment.load(Settings, mail_from=sender, **SECRET))
    assert "ACCEDE_MAIL_FROM" in capsys.readouterr().err


def test_a_replica_has_a_dispatcher_for_each_connection() -> None:
    _, parts = create_app(environment.load(Settings, smtp_connections=3, **SECRET))
    names = [loop.name for loop in parts.loops]
    assert names == ["dispatch-1", "dispatch-2", "dispatch-3", "email-recovery"]
