"""Errors tell what to do and show the log."""

from pathlib import Path

from deploy.local.errors import StartFailed, tail


def test_the_last_lines_of_the_log_are_shown(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("".join(f"line {number}\n" for number in range(5_000)))
    assert tail(log, lines=2) == "    line 4998\n    line 4999"


def test_a_missing_or_empty_log_is_said_to_be_so(tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.touch()
    assert "empty" in tail(empty)
    assert "no log" in tail(tmp_path / "none.log")


def test_a_failed_start_names_the_process_the_reason_and_the_log(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("out of memory\n")
    told = str(StartFailed("RabbitMQ", "ended while it was starting", log))
    assert all(part in told for part in ("RabbitMQ ended while it was starting", str(log), "out of memory"))


def test_a_services_json_log_is_shown_in_words_and_other_lines_as_they_are(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_text(
        '{"reason": "it is away", "event": "start held", "level": "warning", "service": "intake"}\n[1, 2]\n{}\n'
    )
    assert tail(log).splitlines() == ["    warning: start held; reason: it is away", "    [1, 2]", "    {}"]
