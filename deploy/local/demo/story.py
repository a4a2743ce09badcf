"""What the chapters share: sending samples, waiting for their outcomes, and remembering who applied."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from deploy.local.demo.apis import Apis
from deploy.local.demo.outcomes import outcome_table
from deploy.local.demo.waiting import until
from deploy.local.errors import StoryFailed
from deploy.local.inbox import Mailbox
from deploy.local.partner import ExamplePartner
from deploy.local.printing import Printer
from deploy.samples import Sample, samples, write_csv
from shared.policy.loader import load_pack

EMAILS_EACH = 2  # the acknowledgement and the outcome


@dataclass
class Story:
    """The story so far. `sent` counts applications over all chapters; `outcomes` holds what became of each."""

    apis: Apis
    mailbox: Mailbox
    printer: Printer
    samples_folder: Path
    policy: Path
    partner: ExamplePartner | None = None  # needs a broker of our own, to make its user
    sent: int = 0
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def commitments_hash(self) -> str:
        """The hash of the commitments that applicants sign, from the policy in force."""
        return load_pack(self.policy).document.commitments.hash

    def samples(self, chapter: int) -> list[Sample]:
        """The sample applications of a chapter."""
        return samples(chapter, self.commitments_hash)

    def at(self, now: datetime) -> None:
        """Set every clock."""
        self.apis.set_clock(now)

    def send_file(self, name: str, rows: Sequence[Sample]) -> None:
        """Import rows as a CSV file, showing progress until the last row is taken in."""
        self.samples_folder.mkdir(parents=True, exist_ok=True)
        file = self.samples_folder / name
        write_csv(file, rows)
        with self.printer.progress(f"Importing {name}", len(rows)) as advance:
            import_id = self.apis.start_import(file)

            def ended() -> dict[str, Any] | None:
                found = self.apis.import_state(import_id)
                advance(found["progress"]["rows_done"])
                return found if found["state"] in ("done", "refused") else None

            end = until(ended, f"{name} is imported")
        if end["progress"]["accepted"] != len(rows):
            raise StoryFailed(f"Of {name}, not every row was taken in; see {end['errors_url']}. {end['problems']}")
        self.sent += len(rows)

    def send_each(self, rows: Sequence[Sample]) -> list[str]:
        """Send samples one by one over the API; returns the applications' ids."""
        ids = []
        with self.printer.progress("Sending over the API", len(rows)) as advance:
            for number, sample in enumerate(rows, start=1):
                ids.append(self.apis.submit(sample.submission, key=sample.id))
                advance(number)
        self.sent += len(rows)
        return ids

    def send_by_partner(self, rows: Sequence[Sample]) -> None:
        """Send samples through the partners' queue, as a user who may do nothing else, and read the answers."""
        if self.partner is None:
            self.send_each(rows)
            return
        self.partner.admit()
        answers = self.partner.send({sample.id: sample.submission for sample in rows})
        refused = [answer for answer in answers.values() if "application_id" not in answer]
        if refused:
            raise StoryFailed(f"The partners' queue refused {len(refused)} of {len(rows)}: {refused[0]}")
        self.sent += len(rows)
        self.printer.step(f"{len(rows)} came through the partners' queue, and each was answered there.")

    def wait_for_outcomes(self) -> dict[str, dict[str, Any]]:
        """Wait until everything sent is decided and both emails of each lie in the mailbox; returns what is new."""
        before, wanted = len(self.applications) * EMAILS_EACH, self.sent * EMAILS_EACH
        with self.printer.progress("Deciding, sending emails", wanted - before) as advance:

            def arrived() -> bool | None:
                count = self.mailbox.count()
                advance(count - before)
                return True if count >= wanted else None

            until(arrived, f"{wanted} emails lie in the mailbox")
            until(self._closed, "the ledger closes")
        return self._newly_decided()

    def wait_quietly(self) -> None:
        """The same without a progress bar, for a few."""
        until(lambda: self.mailbox.count() >= self.sent * EMAILS_EACH or None, "the emails lie in the mailbox")
        self._newly_decided()

    def show_outcomes(self, heading: str, found: dict[str, dict[str, Any]]) -> None:
        """The table of outcomes by category."""
        pairs = [(application["category"], application["state"]) for application in found.values()]
        self.printer.table(heading, *outcome_table(pairs))

    def _closed(self) -> bool | None:
        return True if self.apis.ledger()["closes"] else None

    def _newly_decided(self) -> dict[str, dict[str, Any]]:
        everything = {one["application_id"]: one for one in self.apis.applications()}
        new = {key: one for key, one in everything.items() if key not in self.applications}
        self.applications = everything
        return new
