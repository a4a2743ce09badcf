"""What the chapters share: sending samples, waiting for their outcomes, and remembering who applied."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from deploy.local.applicant import send_by_email
from deploy.local.demo.apis import Apis
from deploy.local.demo.outcomes import outcome_table
from deploy.local.demo.waiting import until
from deploy.local.errors import StoryFailed
from deploy.local.inbox import Mailbox
from deploy.local.partner import ExamplePartner
from deploy.local.printing import Printer
from deploy.samples import Sample, samples, write_csv
from deploy.samples.drafts import asked_anew, write_draft
from shared.policy.loader import load_pack

EMAILS_EACH = 2  # the acknowledgement and the outcome
NOMINEES = 2  # whom every application names; they are written to once it is eligible
ACKNOWLEDGEMENT = "acknowledgement"
NOMINATION = "nomination"
REPLY = "inbound_reply"


@dataclass
class Story:
    """The story so far. `sent` counts applications over all chapters, `emailed` those among them that came by email;
    `applications` holds what became of each. `letters`: how many emails of each kind have to lie in the mailbox by now, for
    what was told."""

    apis: Apis
    mailbox: Mailbox
    printer: Printer
    samples_folder: Path
    policy: Path
    partner: ExamplePartner | None = None  # needs a broker of our own, to make its user
    inbound_port: int | None = None
    sent: int = 0
    emailed: int = 0
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    letters: Counter[str] = field(default_factory=Counter)

    @cached_property
    def commitments_hash(self) -> str:
        """The hash of the commitments that applicants sign, from the policy on disk."""
        return load_pack(self.policy).document.commitments.hash

    @cached_property
    def draft(self) -> Path:
        """The folder of the policy that the secretariat drafts."""
        self.samples_folder.mkdir(parents=True, exist_ok=True)
        return write_draft(self.policy, self.samples_folder / "draft")

    @cached_property
    def new_commitments_hash(self) -> str:
        """The hash of the commitments that applicants sign under the draft."""
        return load_pack(self.draft).document.commitments.hash

    @cached_property
    def october(self) -> list[Sample]:
        """The sample applications that come during the pause."""
        return samples(1, self.commitments_hash)

    @cached_property
    def january(self) -> list[Sample]:
        """The sample applications that come after it, under the new criteria."""
        return [self.anew(each) for each in samples(2, self.new_commitments_hash)]

    def anew(self, sample: Sample) -> Sample:
        """A sample as it is sent under the new criteria."""
        return replace(sample, submission=asked_anew(sample.submission, self.new_commitments_hash))

    def at(self, now: datetime) -> None:
        """Set every clock."""
        self.apis.set_clock(now)

    def send_file(self, name: str, rows: Sequence[Sample], also: Sequence[str] = ()) -> None:
        """Import rows as a CSV file, with columns for the questions in `also`; shows progress until the last row is in."""
        self.samples_folder.mkdir(parents=True, exist_ok=True)
        file = self.samples_folder / name
        write_csv(file, rows, also)
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

    def send_each(self, rows: Sequence[Sample], again: str = "") -> list[str]:
        """Send samples one by one over the API; returns the applications' ids. `again` tells apart what was sent before."""
        ids = []
        with self.printer.progress("Sending over the API", len(rows)) as advance:
            for number, sample in enumerate(rows, start=1):
                ids.append(self.apis.submit(sample.submission, key=sample.id + again))
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

    def send_by_email(self, rows: Sequence[Sample]) -> None:
        """Send samples as emails, each from its contact: the reply to it stands for the acknowledgement."""
        if self.inbound_port is None:
            self.send_each(rows)
            return
        for sample in rows:
            send_by_email(self.inbound_port, sample.submission)
        self.sent += len(rows)
        self.emailed += len(rows)
        self.printer.step(f"{len(rows)} came by email, as an attachment, and was answered by a reply.")

    def wait_for_outcomes(self) -> dict[str, dict[str, Any]]:
        """Wait until everything sent is decided and every email about it lies in the mailbox; returns what is new."""
        before = self.letters.total()
        wanted = before + (self.sent - len(self.applications)) * EMAILS_EACH
        with self.printer.progress("Deciding, sending emails", wanted - before) as advance:

            def arrived() -> bool | None:
                count = self.mailbox.count()
                advance(min(count, wanted) - before)
                return True if count >= wanted else None

            until(arrived, f"{wanted} emails lie in the mailbox")
        return self.wait_quietly()

    def wait_quietly(self) -> dict[str, dict[str, Any]]:
        """The same without a progress bar, for a few."""
        until(self._closed, "the ledger closes")
        known = self.applications
        self.look_again()
        new = {key: one for key, one in self.applications.items() if key not in known}
        for one in new.values():
            self._expect_letters_about(one)
        self.wait_for_letters()
        return new

    def look_again(self) -> None:
        """See what has become of every application."""
        self.applications = {one["application_id"]: one for one in self.apis.applications()}

    def application_of(self, sample: Sample) -> dict[str, Any]:
        """What is known of a sample that was sent once."""
        name = sample.submission["organisation"]["name"]
        return next(one for one in self.applications.values() if one["organisation_name"] == name)

    def letters_about(self, application_id: str, template: str) -> list[str]:
        """The texts of the emails of one kind about an application, as they lie in the mailbox."""
        records = self.apis.emails(application_id=application_id)
        ids = [one["message_id"] for one in records if one["template"] == template and one["state"] == "sent"]
        found = [next(self.mailbox.messages(message_id=each)) for each in ids]
        return [str(self.mailbox.message(each["id"])["text"]).strip() for each in found]

    def expect_decision(self, state: str) -> None:
        """One more letter about an outcome; whoever is eligible nominates."""
        self.letters[state] += 1
        self.letters[NOMINATION] += NOMINEES * (state == "eligible")

    def wait_for_letters(self) -> None:
        """Until every email there has to be lies in the mailbox. One too many is told at the end."""
        total = self.letters.total()
        until(lambda: self.mailbox.count() >= total or None, f"{total} emails lie in the mailbox")

    def repeated(self) -> int:
        """Applications whose arrival was not acknowledged: the same organisation had been told of another one that day."""
        return sum(_arrival_not_acknowledged(one) for one in self.applications.values())

    def show_outcomes(self, heading: str, found: Iterable[dict[str, Any]]) -> None:
        """The table of outcomes by category."""
        self.printer.table(heading, *outcome_table((one["category"], one["state"]) for one in found))

    def _expect_letters_about(self, application: dict[str, Any]) -> None:
        if application["channel"] == "email":
            self.letters[REPLY] += 1  # it stands for the acknowledgement
        elif not _arrival_not_acknowledged(application):
            self.letters[ACKNOWLEDGEMENT] += 1
        self.expect_decision(application["state"])

    def _closed(self) -> bool | None:
        ledger = self.apis.ledger()
        return True if ledger["closes"] and ledger["total"]["accepted"] == self.sent else None


def _arrival_not_acknowledged(application: dict[str, Any]) -> bool:
    if application["channel"] == "email":
        return False
    return bool(application["emails"]["acknowledgement"]["state"] == "superseded")
