"""The secrets of a local stack."""

from pathlib import Path

import pytest

from deploy.local.keys import Keys
from shared.web.auth import ROLES, Role, parse_keys


@pytest.mark.parametrize("role", ROLES)
def test_a_service_given_the_file_knows_each_key_and_its_role(tmp_path: Path, role: Role) -> None:
    keys = Keys(tmp_path / "secrets")
    caller = parse_keys(keys.api_keys_file.read_text()).caller(keys.api_key(role))
    assert caller is not None
    assert caller.role == role


def test_the_file_for_services_holds_no_key_itself(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "secrets")
    assert not any(keys.api_key(role) in keys.api_keys_file.read_text() for role in ROLES)


def test_secrets_are_kept_from_one_start_to_the_next(tmp_path: Path) -> None:
    first, second = Keys(tmp_path / "secrets"), Keys(tmp_path / "secrets")
    assert first.api_key("admin") == second.api_key("admin")
    assert first.link_secret_file.read_text() == second.link_secret_file.read_text()


def test_nobody_else_on_the_machine_can_read_them(tmp_path: Path) -> None:
    Keys(tmp_path / "secrets")
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o600}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
