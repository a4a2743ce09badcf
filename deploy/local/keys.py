"""Secrets of a local stack: API keys and the secret that signs links, made once and kept in files of mode 600."""

import secrets
from pathlib import Path

from shared.web.auth import ROLES, Role, key_line, new_key


class Keys:
    """The secrets in a folder, made when they are not there yet. Several processes may use the folder afterwards."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.link_secret_file = _kept(folder / "link-secret", secrets.token_hex(32))
        self._files = {role: _kept(folder / f"api-key-{role}", new_key()) for role in ROLES}
        self.api_keys_file = folder / "api-keys"
        lines = [key_line(f"local-{role}", role, self.api_key(role)) for role in ROLES]
        _write(self.api_keys_file, "\n".join(lines) + "\n")

    def api_key(self, role: Role) -> str:
        """The bearer key of a role: `channel`, `operator`, `decider` or `admin`."""
        return self.api_key_file(role).read_text()

    def api_key_file(self, role: Role) -> Path:
        """The file that holds the key of a role, for ACCEDE_API_KEY_FILE."""
        return self._files[role]


def _kept(file: Path, fresh: str) -> Path:
    if not file.exists():
        _write(file, fresh)
    return file


def _write(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)
