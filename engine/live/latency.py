"""How long after a sound its label appears, measured on the running engine."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from functools import partial

import numpy as np

from voicelane.base.timebase import FRAME_SAMPLES, seconds
from voicelane.events import Event, SpeakerTurn, StageTiming, StreamStarted

FRAME_PATH = ("stft", "features", "vad")
"""Stages that every frame passes through."""
DECISION = ("segmentation", "encoder", "enhancer", "diariser")
"""Stages that run now and then."""
KEPT = 30_000  # 20 ms frames: the latest ten minutes


class LatencySink:
    """A sink that compares each label's arrival with the moment when its sound was at the source.

    This is what latency means in voicelane: in the app, in the benchmarks and in the demo. Every 20 ms of
    speech count once, from their middle: until somebody is named for them (`tentative`), and until that is
    `confirmed`. The delays only mean something where the source runs at real time.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        latest = partial(deque[float], maxlen=KEPT)
        self._delays_s: dict[str, deque[float]] = defaultdict(latest)
        self._stage_ms: dict[str, deque[float]] = defaultdict(latest)
        self._told: dict[str, int] = defaultdict(int)  # sample up to which there were labels
        self._lock = threading.Lock()

    def put(self, event: Event) -> None:
        now = time.monotonic()
        with self._lock:
            if isinstance(event, StreamStarted):
                self._began = event.clock_s
                self._told.clear()
            elif isinstance(event, StageTiming):
                path_ms = sum(event.wall_ms.get(s, 0.0) for s in FRAME_PATH)
                self._stage_ms["frame path, 20 ms"].append(path_ms / event.n_frames)
                if "encoder" in event.wall_ms:
                    self._stage_ms["one decision"].append(sum(event.wall_ms.get(s, 0.0) for s in DECISION))
            elif isinstance(event, SpeakerTurn) and self._began is not None:
                heard_s = now - self._began
                self._label("tentative", event.start, event.end, heard_s)
                self._label("confirmed", event.start, event.confirmed_end, heard_s)

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

    def _label(self, kind: str, start: int, end: int, heard_s: float) -> None:
        """The frames of a turn that had no label of this kind, by their middles."""
        for frame in range(max(start, self._told[kind]), end, FRAME_SAMPLES):
            self._delays_s[kind].append(heard_s - seconds(frame + FRAME_SAMPLES // 2))
        self._told[kind] = max(self._told[kind], end)
