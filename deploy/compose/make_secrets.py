"""Make the secrets of a compose stack: `python3 deploy/compose/make_secrets.py FOLDER`, then `ACCEDE_SECRETS=FOLDER`.

Standard library only, so that it runs where there is nothing but Docker. The folder is made readable by its owner
alone; the files in it are readable by all, because each container has them mounted one by one and runs as a user of its own.

`deploy/compose/development/` is what this writes with `--development`: the same names, with values that everybody knows.
"""

from __future__ import annotations

import argparse
import hashlib
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

SERVICES = ("intake", "eligibility", "notifications")
ROLES = ("channel", "operator", "decider", "admin")
NOTE = "# For development only: everybody knows what stands here. See make_secrets.py.\n"

Make = Callable[[str], str]
"""A fresh secret; the argument says what for. Letters, digits, `_` and `-` only: it goes into addresses unquoted."""


def fresh(purpose: str) -> str:
    """256 random bits, as hex digits: nothing that a shell, an address or a command line takes for its own."""
    return secrets.token_hex(32)


def known(purpose: str) -> str:
    """A value that tells whoever meets it what it is."""
    return f"development-only-{purpose}-not-a-secret"


def contents(make: Make, note: str = "") -> dict[str, str]:
    """What each file holds. `note` goes in front of those files that may hold comments."""
    passwords = {service: make(f"mongo-{service}") for service in SERVICES}
    rabbit = make("rabbitmq")
    keys = {role: f"accede_{make(role)}" for role in ROLES}
    hashes = {role: hashlib.sha256(key.encode()).hexdigest() for role, key in keys.items()}
    return {
        "mongo-root-password": make("mongo-root"),
        **{f"mongo-url-{service}": _mongo_url(service, passwords[service]) for service in SERVICES},
        "rabbitmq-url": f"amqp://accede:{rabbit}@rabbitmq:5672/",
        "rabbitmq-user.conf": f"{note}default_user = accede\ndefault_pass = {rabbit}",
        "link-secret": make("link-secret"),
        "smtp-password": "",  # the mailbox asks for none; your mail server's goes in here
        "api-keys": note + "\n".join(f"compose-{role}:{role}:{hashes[role]}" for role in ROLES),
        **{f"api-key-{role}": key for role, key in keys.items()},
    }


def _mongo_url(service: str, password: str) -> str:
    return f"mongodb://accede_{service}:{password}@mongo:27017/accede_{service}?replicaSet=rs0&authSource=admin"


def write(folder: Path, files: dict[str, str]) -> None:
    """Write the files. Raises FileExistsError when the folder is there and not empty: no secret is overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: secrets are never overwritten; name another folder")
    folder.chmod(0o700)
    for name, text in files.items():
        path = folder / name
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(0o644)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Make the secrets of a compose stack.")
    parser.add_argument("folder", type=Path, help="a new folder; keep it out of the repository")
    parser.add_argument("--development", action="store_true", help="write values that everybody knows")
    given = parser.parse_args()
    files = contents(known, NOTE) if given.development else contents(fresh)
    try:
        write(given.folder, files)
    except OSError as error:
        sys.exit(f"No secrets were made: {error}")
    print(f"Start the stack with ACCEDE_SECRETS={given.folder} docker compose up --wait")
    print(f"Clients send a key, e.g. the one in {given.folder}/api-key-channel")


if __name__ == "__main__":
    main()
