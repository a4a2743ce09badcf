"""`python -m deploy.local.mailbox`: the SMTP server and the web page in one process."""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path

import uvicorn

from deploy.local.mailbox.behaviour import Behaviour
from deploy.local.mailbox.messages import MemorySpool, Messages
from deploy.local.mailbox.smtp import Handler, MailboxSMTP
from deploy.local.mailbox.spool import FileSpool
from deploy.local.mailbox.web import create_app

LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"]


def _arguments() -> argparse.Namespace:
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m deploy.local.mailbox", description="A mailbox for one machine.")
    host, file = env("ACCEDE_MAILBOX_HOST", "127.0.0.1"), env("ACCEDE_MAILBOX_FILE")
    parser.add_argument("--host", default=host, help="interface of both servers (default: loopback only)")
    parser.add_argument("--port", type=int, default=env("ACCEDE_MAILBOX_PORT", "8025"), help="of the web page")
    parser.add_argument("--smtp-port", type=int, default=env("ACCEDE_MAILBOX_SMTP_PORT", "1025"))
    parser.add_argument("--file", type=Path, default=file, help="keep messages here over restarts (default: memory)")
    return parser.parse_args()


def _messages(file: Path | None) -> Messages:
    if file is None:
        return Messages(MemorySpool())
    spool = FileSpool(Path(file))
    return Messages(spool, spool.kept())


async def serve(host: str, port: int, smtp_port: int, messages: Messages) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError when a port is taken."""
    behaviour = Behaviour()
    handler = Handler(messages, behaviour)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: MailboxSMTP(handler, loop), host, smtp_port)
    allowed = LOOPBACK_NAMES if host in LOOPBACK_NAMES else ["*"]
    config = uvicorn.Config(
        create_app(messages, behaviour, allowed), host=host, port=port, log_level="warning", access_log=False
    )
    try:
        await uvicorn.Server(config).serve()
    finally:
        smtp.close()


def main() -> None:
    """Start the mailbox as the command line or the environment says."""
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd's, which tells every command
    options = _arguments()
    try:
        messages = _messages(options.file)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(options.host, options.port, options.smtp_port, messages))
    except (OSError, ValueError) as error:
        sys.exit(f"The mailbox cannot start: {error}")


if __name__ == "__main__":
    main()
