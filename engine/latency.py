"""How long after a sound its label appears, measured on the running engine."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

import numpy as np

from engine.events import Event, SpeakerTurn, StageTiming, StreamStarted
from engine.timebase import seconds

FRAME_PATH = ("stft", "features", "vad")


class LatencySink:
    """A sink that compares each event's arrival with the moment when its sound was at the source.

    The delays only mean something where the source runs at real time.
    """

    def __init__(self) -> None:
        self._began = 0.0
        self._delays_s: dict[str, list[float]] = defaultdict(list)
        self._stage_ms: dict[str, list[float]] = defaultdict(list)
        self._told = self._confirmed = 0
        self._lock = threading.Lock()

    def put(self, event: Event) -> None:
        now = time.monotonic()
        with self._lock:
            if isinstance(event, StreamStarted):
                self._began = event.clock_s
            elif isinstance(event, StageTiming):
                path_ms = sum(event.wall_ms.get(s, 0.0) for s in FRAME_PATH)
                self._stage_ms["frame path, 20 ms"].append(path_ms / event.n_frames)
                if "encoder" in event.wall_ms:
                    decision = ("segmentation", "encoder", "enhancer", "diariser")
                    self._stage_ms["one decision"].append(sum(event.wall_ms.get(s, 0.0) for s in decision))
            elif isinstance(event, SpeakerTurn):
                if event.end > self._told and not event.final:
                    self._told = event.end
                    self._delays_s["tentative"].append(now - self._began - seconds(event.end))
                if event.confirmed_end > self._confirmed:
                    self._confirmed = event.confirmed_end
                    self._delays_s["confirmed"].append(now - self._began - seconds(event.confirmed_end))

    def close(self) -> None:
        """Nothing is held."""

    def delays_ms(self) -> dict[str, np.ndarray]:
        """From sound to label, in ms: `tentative` (first word) and `confirmed` (never changes again)."""
        with self._lock:
            return {k: 1e3 * np.array(v) for k, v in sorted(self._delays_s.items())}

    def stages_ms(self) -> dict[str, np.ndarray]:
        """Wall time in ms: of the frame path without the encoder per frame, and of each push that decides."""
        with self._lock:
            return {k: np.array(v) for k, v in self._stage_ms.items()}
