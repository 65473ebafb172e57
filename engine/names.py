"""What people and sessions may be called."""

from __future__ import annotations

import re
import unicodedata

from engine.errors import VoicelaneError

LONGEST_NAME = 100
JOINERS = "\u200c\u200d"  # invisible, and part of ordinary words in several scripts
UNPRINTABLE = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
LABEL = re.compile(r"S\d+[b-z]*", re.IGNORECASE)


def check_name(name: str) -> str:
    """The name in its normal form (NFC, no blanks around it); raises `VoicelaneError` for what is none."""
    found = unicodedata.normalize("NFC", name).strip()
    if not found.strip(JOINERS):
        raise VoicelaneError("a name cannot be empty")
    if len(found) > LONGEST_NAME:
        raise VoicelaneError(f"a name of {len(found)} characters is too long; {LONGEST_NAME} are the most")
    if any(unicodedata.category(c) in UNPRINTABLE and c not in JOINERS for c in found):
        raise VoicelaneError(f"{found!r} holds control characters; a name is printable text")
    if LABEL.fullmatch(found):
        raise VoicelaneError(f"{found} is what a speaker without a name is called; choose another name")
    return found


def name_key(name: str) -> str:
    """What equal names share: the text without regard to upper and lower case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFC", name).strip().casefold())


def file_name(name: str) -> str:
    """The name as part of a file's name on any system."""
    return re.sub(r'[\s<>:"/\\|?*]+', "_", name).strip(".") or "_"
