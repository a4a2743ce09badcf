"""What partners are told: the answers in their reply queues, and the rights their broker users have."""

from __future__ import annotations

import re
import shlex
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.topology import Topology
from shared.web.problem import ProblemDocument

ACCEPTED: Final = "submission.accepted.v1"
REFUSED: Final = "submission.refused.v1"
"""The AMQP property `type` of an answer."""

USER: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
"""Names of broker users whose messages are taken in: they stand in the name of a queue and in provenance."""

MOST_ANSWERS: Final = 100_000
MOST_CONNECTIONS: Final = 10
MOST_CHANNELS: Final = 50


class SubmissionAccepted(BaseModel):
    """A partner's submission was accepted: it is stored safely, and is decided next. A message that comes again is
    answered the same, with a fresh link. `status_page` is for the applicant: whoever holds it sees the application."""

    model_config = ConfigDict(extra="forbid")

    message_id: str | None = Field(description="The message's `message_id`; null when it had none.")
    application_id: str
    reference: str = Field(description="What the applicant quotes when writing to us.")
    revision: int
    received_at: AwareDatetime = Field(description="The server's receipt time; a client cannot choose it.")
    status_page: str


class SubmissionRefused(ProblemDocument):
    """Nothing was accepted. An RFC 9457 problem, the same that the API answers with, naming every failing field by a
    JSON pointer into the document; `/properties/<name>` is a property of the message."""

    model_config = ConfigDict(extra="forbid")

    message_id: str | None = Field(description="The message's `message_id`; null when it had none.")


def permissions(partner: str, topology: Topology, vhost: str = "/") -> list[str]:
    """The commands that make a broker user who may publish to the partners' queue and own one reply queue, and nothing
    else. The first asks for the user's password.

    Raises:
        ValueError: `partner` is no name for such a user; the message says what is.
    """
    if not USER.fullmatch(partner):
        raise ValueError("Use letters, digits, dots, dashes and underscores (100 at most), first and last no dot.")
    own, send = (f"^{re.escape(name)}$" for name in (topology.reply_queue(partner), topology.partner_exchange))
    replies = f"^{re.escape(topology.reply_queue(''))}"
    policy = topology.reply_queue("").rstrip(".")
    return [
        shlex.join(["rabbitmqctl", *each])
        for each in (
            ("add_user", partner),
            ("set_permissions", "--vhost", vhost, partner, own, send, own),
            (
                "set_user_limits",
                partner,
                f'{{"max-connections": {MOST_CONNECTIONS}, "max-channels": {MOST_CHANNELS}}}',
            ),
            (
                "set_policy",
                "--vhost",
                vhost,
                "--apply-to",
                "queues",
                policy,
                replies,
                f'{{"max-length": {MOST_ANSWERS}}}',
            ),
        )
    ]
