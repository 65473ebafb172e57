"""Long sessions of many people as the segmenter would tell them, with voices drawn from a scale."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from tests.stages.conversation import CONFIRM, CONTEXT, LEAST, LENGTH, LINGER, STEP, Said
from voicelane.base.timebase import FRAME_SAMPLES
from voicelane.stages.encoder import Embedding, SegmentEnd, SegmentStart
from voicelane.stages.scale import Scale
from voicelane.stages.segmenter import Heard, Piece, Window


class Cast:
    """People in one room: how their embeddings differ between them and from one moment to the next."""

    def __init__(self, scale: Scale, n_people: int, rng: np.random.Generator) -> None:
        self._rng, plda = rng, scale.plda
        room = plda.mean + _root(scale.channel) @ rng.standard_normal(scale.dim)
        self._people = room + rng.standard_normal((n_people, scale.dim)) @ _root(scale.between).T
        self._within = _root(np.linalg.pinv(plda.transform @ plda.transform.T))

    def embedding(self, person: int) -> np.ndarray:
        """A unit vector, float32 (dim,), of what the person says now."""
        vector = self._people[person] + self._within @ self._rng.standard_normal(len(self._within))
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def gathering(cast: Cast, said: Sequence[Said]) -> Iterator[Heard]:
    """Segment starts, windows and segment ends, one by one, of people who speak one after the other from … to
    … seconds, in order of time."""
    voices = np.full((int(50 * said[-1][2]) + LINGER + STEP) // STEP * STEP + 1, -1, np.int16)
    for person, start, end in said:
        voices[round(50 * start) : round(50 * end)] = person
    settled = newest = 0
    for frame in _moments(voices):
        if (voices[frame] >= 0) != (voices[frame - 1] >= 0):
            yield (SegmentStart if voices[frame] >= 0 else SegmentEnd)(frame * FRAME_SAMPLES)
        if frame % STEP == 0 and frame >= 40 and (voices[max(0, frame - LINGER) : frame] >= 0).any():
            begin, last = max(0, frame - LENGTH), frame - CONFIRM
            regions = ((max(begin, settled), last), (max(begin, last, newest), frame))
            pieces = tuple(p for a, b in regions for p in _pieces(cast, voices, begin, frame, a, b))
            people = (voices[begin:frame] >= 0).astype(np.float32)
            yield Window(begin * FRAME_SAMPLES, frame * FRAME_SAMPLES, last * FRAME_SAMPLES, people, pieces)
            settled, newest = max(settled, last), frame


def _moments(voices: np.ndarray) -> list[int]:
    """The frames at which something may come: ends of windows near speech, and where speech begins or
    ends."""
    ends, spoken = np.arange(STEP, len(voices), STEP), np.cumsum(voices >= 0)
    near = ends[spoken[ends - 1] > spoken[np.maximum(ends - LINGER, 1) - 1]]
    return np.union1d(np.flatnonzero(np.diff(voices >= 0)) + 1, near).tolist()


def _pieces(cast: Cast, voices: np.ndarray, begin: int, end: int, first: int, last: int) -> Iterator[Piece]:
    """Runs of one voice in the frames `first` … `last` − 1, heard within `begin` … `end` − 1."""
    cuts = [first, *(np.flatnonzero(np.diff(voices[first:last])) + first + 1).tolist(), last]
    for a, b in itertools.pairwise(cuts):
        if b > a and voices[a] >= 0:
            lo, hi = max(begin, (a + b) // 2 - CONTEXT), min(end, (a + b) // 2 + CONTEXT)
            n = int((voices[lo:hi] == voices[a]).sum())
            span = lo * FRAME_SAMPLES, hi * FRAME_SAMPLES
            heard = Embedding(*span, cast.embedding(int(voices[a]))) if n >= LEAST else None
            yield Piece(a * FRAME_SAMPLES, b * FRAME_SAMPLES, True, heard, n)


def _root(covariance: np.ndarray) -> np.ndarray:
    """A matrix (dim, dim) that makes white noise vary like that."""
    variances, axes = np.linalg.eigh(covariance)
    return np.asarray(axes * np.sqrt(np.maximum(variances, 0.0)))
