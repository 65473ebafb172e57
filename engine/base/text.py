"""What people and sessions may be called."""

from __future__ import annotations

import re
import unicodedata

from voicelane.base.errors import VoicelaneError

LONGEST_NAME = 100
LONGEST_FILE_BYTES = 200
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
    if not is_text(found):
        raise VoicelaneError(f"{found!r} holds control characters; a name is printable text")
    if LABEL.fullmatch(found):
        raise VoicelaneError(f"{found} is what a speaker without a name is called; choose another name")
    return found


def is_text(text: str) -> bool:
    """Whether it holds nothing but what can be printed in one line, in any script."""
    return not any(unicodedata.category(c) in UNPRINTABLE and c not in JOINERS for c in text)


def one_line(text: str) -> str:
    """The text as a terminal may show it, whoever wrote it: one line without control characters."""
    return "".join(c if is_text(c) else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))


def quoted(value: object, most: int = 80) -> str:
    """The value in quotation marks for a sentence, `most` characters at most."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or a very deep table
        text = f"too large a {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def name_key(name: str) -> str:
    """What equal names share: the text without regard to upper and lower case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFC", name).strip().casefold())


def file_name(name: str) -> str:
    """The name as part of a file's name on any system, cut where that would be too long."""
    found = re.sub(r'[\s<>:"/\\|?*\0]+', "_", name).encode("utf-8", "replace")[:LONGEST_FILE_BYTES]
    return found.decode("utf-8", "ignore").strip(".") or "_"
