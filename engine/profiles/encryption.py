"""Voices that only a passphrase opens.

Every embedding and every kept recording is sealed with AES-256-GCM by a random key, bound to what it belongs
to; that key is sealed by one that scrypt makes of the passphrase (RFC 7914). The package `cryptography` is
loaded only where a store is encrypted.
"""

from __future__ import annotations

import os
import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

from voicelane.base.errors import LockedError, StoreError

PASSPHRASE = "VOICELANE_PASSPHRASE"
LEAST_CHARACTERS = 8
MAGIC = b"voicelane sealed 1\n"
COST, BLOCK, LANES = 1 << 17, 8, 1  # scrypt's n, r, p: 128 MiB and about half a second
KEY_BYTES, NONCE_BYTES, SALT_BYTES = 32, 12, 16
MISSING = "encryption needs the package cryptography, which is missing: `pip install 'voicelane[encryption]'`"


class Lock(NamedTuple):
    """What lies beside the profiles: useless without the passphrase."""

    salt: bytes
    wrapped: bytes
    """The key of the data, sealed."""


class Vault:
    """Seals and opens bytes; `what` says whose they are, and must be the same for both."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = _ciphers().AESGCM(key)

    def seal(self, content: bytes, what: str) -> bytes:
        """The content, unreadable, with all that opens it but the key."""
        nonce = os.urandom(NONCE_BYTES)
        return MAGIC + nonce + bytes(self._cipher.encrypt(nonce, content, what.encode()))

    def open(self, sealed: bytes, what: str) -> bytes:
        """What was sealed; raises `StoreError` where that was changed, or belongs to something else."""
        at = len(MAGIC) + NONCE_BYTES
        nonce, content = sealed[len(MAGIC) : at], sealed[at:]
        try:
            if not sealed.startswith(MAGIC):
                raise ValueError
            return bytes(self._cipher.decrypt(nonce, content, what.encode()))
        except Exception:  # InvalidTag, or too short for anything
            raise StoreError(f"{what}: is damaged or was swapped; restore a copy, or enrol again") from None

    def lock(self, passphrase: str) -> Lock:
        """The key of this vault for a passphrase, with a new salt."""
        check_passphrase(passphrase)
        salt = os.urandom(SALT_BYTES)
        return Lock(salt, Vault(_stretched(passphrase, salt)).seal(self._key, "key"))


def new_vault() -> Vault:
    """With a random key."""
    return Vault(os.urandom(KEY_BYTES))


@lru_cache(maxsize=4)
def unlock(lock: Lock, passphrase: str) -> Vault:
    """The vault; raises `LockedError` for a wrong passphrase."""
    outer = Vault(_stretched(passphrase, lock.salt))
    try:
        return Vault(outer.open(lock.wrapped, "key"))
    except StoreError:
        raise LockedError("the passphrase of the profiles is wrong; try again") from None


def check_passphrase(passphrase: str) -> None:
    """Raise `StoreError` for one that is soon guessed."""
    if len(passphrase) < LEAST_CHARACTERS:
        raise StoreError(
            f"a passphrase of {len(passphrase)} characters is too short; {LEAST_CHARACTERS} are the least"
        )


def given_passphrase() -> str:
    """From the environment; raises `LockedError` where it is not there."""
    found = os.environ.get(PASSPHRASE)
    if not found:
        raise LockedError(
            f"the profiles are encrypted; set {PASSPHRASE}, or use a terminal, which asks for it"
        )
    return found


def _stretched(passphrase: str, salt: bytes) -> bytes:
    text = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogateescape")
    return bytes(_ciphers().Scrypt(salt, KEY_BYTES, COST, BLOCK, LANES).derive(text))


class _Ciphers(NamedTuple):
    AESGCM: Any
    Scrypt: Any


def _ciphers() -> _Ciphers:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    except ImportError:
        raise LockedError(MISSING) from None
    return _Ciphers(AESGCM, Scrypt)
