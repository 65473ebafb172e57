"""All embeddings of a conversation as arrays, for curves and the map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicelane.events import VoiceMeasured
from voicelane.gui.model.growing import Growing
from voicelane.gui.model.state import State


class VoiceTable:
    """Follows `State.voices`; only what is new is worked on."""

    def __init__(self) -> None:
        self._last: VoiceMeasured | None = None
        self.clear()

    def clear(self) -> None:
        self._places = Growing((3,), np.int64)
        self._curves: dict[str, Growing] = {}
        self._vectors: Growing | None = None
        self._raws: Growing | None = None

    def __len__(self) -> int:
        return self._places.n

    @property
    def samples(self) -> np.ndarray:
        """Where in the stream each was measured, int64 (n,), in order."""
        return self._places.view()[:, 0]

    @property
    def spans(self) -> np.ndarray:
        """Start and end of the speech behind each, int64 (n, 2)."""
        return self._places.view()[:, 1:]

    def update(self, state: State) -> None:
        """Take in the voices that are new."""
        n = len(self)
        if len(state.voices) < n or (n and state.voices[n - 1] is not self._last):
            self.clear()
        if fresh := state.voices[len(self) :]:
            self._add(fresh)
        self._last = state.voices[-1] if state.voices else None

    def vectors(self, raw: bool = False) -> np.ndarray:
        """Embeddings float32 (n, dim), those before the enhancer where `raw`."""
        chosen = self._raws if raw and self._raws else self._vectors
        return chosen.view() if chosen else np.zeros((0, 1), np.float32)

    @property
    def has_raw(self) -> bool:
        return self._raws is not None

    def curve(self, speakers: list[str]) -> np.ndarray:
        """The best cosine to any of `speakers`, float32 (n,), NaN where there was none of them yet."""
        curves = [self._curves[s].view() for s in speakers if s in self._curves]
        if not curves:
            return np.full(len(self), np.nan, np.float32)
        found: np.ndarray = np.fmax.reduce(curves)
        return found

    def _add(self, voices: list[VoiceMeasured]) -> None:
        speakers = {speaker for voice in voices for speaker in voice.similarity}
        for speaker in speakers - self._curves.keys():
            self._curves[speaker] = Growing((), np.float32, len(self), np.nan)
        for speaker, curve in self._curves.items():
            curve.append(np.array([voice.similarity.get(speaker, np.nan) for voice in voices], np.float32))
        self._places.append(np.array([(v.sample, v.start, v.end) for v in voices], np.int64))
        self._vectors = _appended(self._vectors, [voice.vector for voice in voices])
        raws = [voice.raw for voice in voices if voice.raw is not None]
        if raws:
            self._raws = _appended(self._raws, raws)


def _appended(table: Growing | None, vectors: Sequence[Sequence[float]]) -> Growing:
    rows = np.stack([np.asarray(vector, np.float32) for vector in vectors])
    table = table or Growing(rows.shape[1:], np.float32)
    table.append(rows)
    return table
