"""Secrets of a compose stack: made fresh, fit for the services, never overwritten; the development ones are marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.compose.make_secrets import NOTE, ROLES, contents, fresh, known, write
from shared.web.auth import parse_keys
from shared.web.links import Links
from tests.unit.containers.files import CHECKOUT


@pytest.mark.parametrize("make", [fresh, known])
def test_services_accept_what_is_made(make: object) -> None:
    files = contents(fresh if make is fresh else known, NOTE)
    keys = parse_keys(files["api-keys"])

    for role in ROLES:
        caller = keys.caller(files[f"api-key-{role}"])
        assert caller is not None
        assert caller.role == role
    Links(files["link-secret"])


def test_fresh_secrets_are_never_the_same_and_stand_in_addresses_unquoted() -> None:
    first, second = contents(fresh), contents(fresh)
    assert {name for name in first if first[name] == second[name]} == {"smtp-password"}  # which is the mail server's
    assert fresh("anything").isalnum()


def test_development_secrets_are_what_the_script_writes_and_say_what_they_are() -> None:
    folder = CHECKOUT / "deploy" / "compose" / "development"
    assert {file.name: file.read_text() for file in folder.iterdir()} == {
        name: text + "\n" for name, text in contents(known, NOTE).items()
    }
    assert all("development" in file.read_text() for file in folder.iterdir() if file.name != "smtp-password")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    write(folder, {"one": "first"})

    with pytest.raises(FileExistsError, match="never overwritten"):
        write(folder, {"one": "second"})

    assert (folder / "one").read_text() == "first\n"
    assert folder.stat().st_mode & 0o777 == 0o700
