"""An example applicant who applies by email: attaches a file, and hands the message to the service's mail listener."""

import json
import smtplib
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

from deploy.local.ports import LOOPBACK
from deploy.local.stack import INBOUND_ADDRESS


def send_by_email(port: int, submission: dict[str, Any]) -> None:
    """Send one submission as a JSON attachment, from its contact's address. Raises OSError, smtplib.SMTPException."""
    contact = submission["contact"]
    message = EmailMessage()
    message["From"] = contact["email"]
    message["To"] = INBOUND_ADDRESS
    message["Subject"] = "Our application"
    message["Message-ID"] = make_msgid(domain="applicant.example")
    message.set_content("Please find our application attached.")
    content = json.dumps(submission, ensure_ascii=False).encode()
    message.add_attachment(content, "application", "json", filename="application.json")
    with smtplib.SMTP(LOOPBACK, port, timeout=60) as server:
        server.send_message(message, from_addr=contact["email"], to_addrs=[INBOUND_ADDRESS])
