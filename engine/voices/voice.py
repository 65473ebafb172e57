"""A voice that speech can be given: nobody's, or an enrolled person's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from voicelane.base.errors import VoicelaneError
from voicelane.base.text import check_name

Kind = Literal["pseudo", "person"]
LOWEST_HZ, HIGHEST_HZ = 50.0, 500.0


@dataclass(frozen=True, eq=False)
class Voice:
    """Where a voice lies among all voices, and how high it is.

    Raises `VoicelaneError` for a name that is none, an embedding that is no unit vector, and a pitch that no
    voice has.
    """

    name: str
    embedding: np.ndarray
    """Unit vector float32 (dim,)."""
    pitch_hz: float
    """Mean pitch."""
    kind: Kind
    encoder_id: str
    """Of the encoder whose space the embedding is in."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", check_name(self.name))
        vector = np.asarray(self.embedding, np.float32)
        if vector.ndim != 1 or not abs(float(np.linalg.norm(vector)) - 1.0) < 1e-3:
            raise VoicelaneError(f"{self.name}: expected a unit vector, got an array of shape {vector.shape}")
        object.__setattr__(self, "embedding", vector)
        if not LOWEST_HZ <= self.pitch_hz <= HIGHEST_HZ:
            raise VoicelaneError(
                f"{self.name}: a pitch of {self.pitch_hz:g} Hz: expected {LOWEST_HZ:g} … {HIGHEST_HZ:g} Hz"
            )
        if self.kind not in get_args(Kind):
            raise VoicelaneError(
                f"{self.name}: of kind {self.kind!r}: expected {' or '.join(get_args(Kind))}"
            )
