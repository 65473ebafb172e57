"""Who may use a server: tokens, of which only hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from voicelane.base.errors import StoreError
from voicelane.base.files import home_folder, private_folder, write_private
from voicelane.base.text import check_name

PREFIX = "vl_"
TOKEN_BYTES = 32
"""Random ones: a hash without salt is enough, nobody can try them all."""


@dataclass(frozen=True)
class Client:
    """Whose token it is; without tokens everybody is the owner."""

    id: str
    name: str
    created: str
    """ISO 8601, UTC."""
    sha256: str

    def home(self) -> Path:
        """The folder of this client's people and sessions."""
        return serve_folder() / "clients" / self.id


@dataclass(frozen=True)
class Owner(Client):
    """Whoever runs the server, on this machine: the people and sessions of the command line."""

    def home(self) -> Path:
        return home_folder()


OWNER = Owner("owner", "owner", "", "")


def serve_folder() -> Path:
    """What servers keep, in the home folder."""
    return home_folder() / "serve"


class Tokens:
    """The file of tokens; it is read again when it changes."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or serve_folder() / "tokens.json"
        self._read_at: tuple[int, int] | None = None
        self._clients: list[Client] = []

    def clients(self) -> list[Client]:
        """All of them; raises `StoreError` where the file is damaged."""
        try:
            about = self.path.stat()
        except FileNotFoundError:
            return []
        if self._read_at != (about.st_mtime_ns, about.st_size):
            self._clients = self._read()
            self._read_at = about.st_mtime_ns, about.st_size
        return self._clients

    def client(self, token: str) -> Client | None:
        """Whose token that is; takes as long for a wrong one."""
        digest = _digest(token)
        found = [c for c in self.clients() if hmac.compare_digest(c.sha256, digest)]
        return found[0] if found else None

    def add(self, name: str) -> str:
        """A new token, which is told this once; raises `VoicelaneError` for a name that is taken."""
        name, clients = check_name(name), self.clients()
        if name in [c.name for c in clients]:
            raise StoreError(f"there is a token for {name} already; remove it, or choose another name")
        token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._write([*clients, Client(secrets.token_hex(8), name, now, _digest(token))])
        return token

    def remove(self, name: str) -> None:
        """Refuse it from now on; the people and sessions of that client stay."""
        left = [c for c in self.clients() if c.name != name]
        if len(left) == len(self.clients()):
            raise StoreError(f"there is no token for {name}; `voicelane tokens list` shows which there are")
        self._write(left)

    def _read(self) -> list[Client]:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=list[Client])
        except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
            raise StoreError(f"{self.path}: is damaged ({problem}); remove it and make new tokens") from None

    def _write(self, clients: list[Client]) -> None:
        private_folder(self.path.parent)
        write_private(self.path, json.dumps([asdict(c) for c in clients], indent=1).encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
