"""Which of the colours everybody has: a name the same in every session."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import count

from voicelane.base.text import LABEL, name_key

SPEAKER_COLOURS = (
    "#3388cc",
    "#ee5500",
    "#aa55ff",
    "#888866",
    "#bb0099",
    "#661111",
    "#bb7799",
    "#330099",
    "#bb0000",
    "#445555",
    "#0033ff",
    "#442255",
)
"""Twelve that differ on a light page, also for colour-blind eyes."""
N_COLOURS = len(SPEAKER_COLOURS)


def colour_numbers(names: Sequence[str]) -> list[int]:
    """Numbers of the colours of people by the names that are shown, in order of first appearance.

    A name has the first of an order of its own that nobody before it in the alphabet has; a label takes the
    number of its place, or the lowest that is free. No two are the same: from `N_COLOURS` on the colours come
    again. An empty name is nobody's and has −1.
    """
    found = dict.fromkeys((place for place, name in enumerate(names) if not name), -1)
    known = sorted((name_key(n), place) for place, n in enumerate(names) if n and not LABEL.fullmatch(n))
    for key, place in known[:N_COLOURS]:
        found[place] = next(number for number in _own_order(key) if number not in found.values())
    for place in range(min(len(names), N_COLOURS)):
        if place not in found and place not in found.values():
            found[place] = place
    taken = set(found.values())
    free = (number for number in count() if number not in taken)
    return [found[place] if place in found else next(free) for place in range(len(names))]


@lru_cache(maxsize=1024)
def _own_order(key: str) -> list[int]:
    """All colours, in an order that a name always has."""
    return sorted(range(N_COLOURS), key=lambda number: _mixed(f"{number} {key}"))


def _mixed(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
