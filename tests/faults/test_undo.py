"""An import is undone under kill -9: every application withdrawn once, no email of it sent, and the ledger closes."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from bench.curve import counted
from deploy.local.ports import free_port
from deploy.samples import stream
from shared.stopping import Point
from tests import running
from tests.servers import Servers

ROWS = 600


def test_an_undo_that_is_killed_goes_on_and_cancels_every_unsent_email(servers: Servers, tmp_path: Path) -> None:
    with running.running(tmp_path, servers) as stack:
        intake, notifications = stack.services["intake"][0], stack.services["notifications"][0]
        notifications.stop()  # so that no email, acknowledgements included, has gone out yet
        rows = list(islice(stream(ROWS, running.commitments_hash(), seed=11), ROWS))
        import_id = running.upload(stack, rows, tmp_path / "rows.csv")
        running.until(lambda: running.account(stack, "file")["pending"] == 0 and taken_in(stack) == ROWS, "decisions")
        intake.restart({"ACCEDE_STOP_AT": f"{Point.IMPORT_ROWS_WITHDRAWN}#2"})
        with stack.client("intake", "operator") as client:
            client.post(f"/v1/imports/{import_id}/undo").raise_for_status()
            assert intake.wait_ended() == -9
            intake.start()
            running.until(lambda: client.get(f"/v1/imports/{import_id}").json()["state"] == "undone", "the undo")
            assert client.get(f"/v1/imports/{import_id}").json()["undo"]["withdrawn"] == ROWS
        # Nothing can be sent until every letter is written and every withdrawal heard of: it shows not who is quicker.
        notifications.restart({"ACCEDE_SMTP_PORT": str(free_port())})
        running.until(lambda: written(stack) == 2 * ROWS, "every email has a record")
        running.until(lambda: withdrawals_heard(stack) >= ROWS, "every withdrawal is heard of")
        notifications.restart()
        # The ledger expects no email of a withdrawn application, so it closes before those that are there are given up.
        running.until_closed(stack, ROWS)
        running.until(lambda: not running.unsent(stack), "every email is given up")
        went = [(each["template"], each["state"]) for each in running.emails(stack) if each["state"] != "superseded"]
        assert went == []
        assert list(stack.mailbox.messages()) == []
        assert running.account(stack, "file")["withdrawn"] == ROWS


def written(stack: running.System) -> int:
    """Emails to applicants; those to their nominees come beside them."""
    found = running.counts(stack)
    return int(found["total"] - sum(found["by_kind"].get("nomination", {}).values()))


def withdrawals_heard(stack: running.System) -> int:
    """What notifications has handled since it was started."""
    with stack.client("notifications") as client:
        metrics = client.get("/metrics").raise_for_status().text
    return int(counted(metrics, "accede_events_consumed_total", 'type="application.withdrawn.v1"'))


def taken_in(stack: running.System) -> int:
    return int(running.account(stack, "file")["accepted"])
