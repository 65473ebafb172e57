"""Whose embeddings can be compared with whose."""

from __future__ import annotations

from dataclasses import dataclass, field

OFF = "off"


@dataclass(frozen=True)
class Space:
    """Where embeddings can be compared: the encoder's weights and the enhancer in force."""

    encoder_id: str
    enhancer: str
    """`off`, or the enhancer's name and the beginning of its checksum."""
    encoder: str = field(compare=False)
    """The encoder's name; its variants of equal `encoder_id` share a space."""

    def __str__(self) -> str:
        return f"encoder {self.encoder} ({self.encoder_id[:8]}), enhancer {self.enhancer}"
