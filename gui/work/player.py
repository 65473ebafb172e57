"""Hear what was said, or what is heard right now: to the loudspeaker, at any speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from voicelane import SAMPLE_RATE, Person
from voicelane.audio import BY_SERVER, PORTAUDIO, opened_as
from voicelane.gui.model.language import later, tr
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.work.cleaned import Cleaned
from voicelane.gui.work.devices import sink_named
from voicelane.gui.work.playback import Playback, Read, Spans

BLOCK_S = 0.04
ENDLESS = 1 << 40
NO_LOUDSPEAKER = later("no sound can be played ({problem}); is a loudspeaker connected?")


class Player(QObject):
    """Plays one thing at a time; `place` moves while it does."""

    changed = Signal()
    """Playing began or ended."""
    failed = Signal(str)
    refused = Signal(str)
    """Nothing may be played now; why."""
    _finished = Signal(int)

    def __init__(self, open_stream: Callable[..., Any] | None = None) -> None:
        """`open_stream` takes the place of `sounddevice.OutputStream` in tests."""
        super().__init__()
        self._open = open_stream or _output_stream
        self._stream: Any = None
        self._playback = Playback(lambda *_: np.zeros(0, np.float32), Spans.of([]))
        self._number, self._rate = 0, SAMPLE_RATE
        self.monitoring = False
        """Whether it plays what is heard right now."""
        self.speed, self.volume, self.device = 1.0, 1.0, ""
        """Of what is played next, the volume (0 … 1) at once; without a `device` the default loudspeaker."""
        self.clean = False
        """Whether what is played next is without noise."""
        self.person: Person | None = None
        """Whose voice alone is left of what is played next, if anybody's."""
        self.hindrance: Callable[[], str] = lambda: ""
        """Why nothing may be played now, or nothing."""
        self._finished.connect(self._end)

    def another(self) -> Player:
        """One beside it, of the same kind of loudspeaker."""
        return Player(self._open)

    @property
    def playing(self) -> bool:
        """Whether something that was said before is played."""
        return self._stream is not None and not self.monitoring

    @property
    def busy(self) -> bool:
        """Whether the loudspeaker is in use."""
        return self._stream is not None

    @property
    def place(self) -> int:
        """Sample that is heard now."""
        return self._playback.sample

    def play(self, history: SoundHistory, start: int, end: int | None = None) -> None:
        """From a sample to another, or to the end of the sound."""
        self.play_spans(history, [(start, history.n_samples if end is None else min(end, history.n_samples))])

    def play_spans(self, history: SoundHistory, spans: Sequence[tuple[int, int]]) -> None:
        """Some stretches, in order of time, without what lies between them."""
        self.stop()
        whole = Spans.of([(start, end) for start, end in spans if start < end])
        if not whole.length:
            return
        if reason := self.hindrance():
            self.refused.emit(reason)
        elif problem := self._begin(lambda rate: Playback(self._reader(history), whole, self.speed, rate)):
            self.failed.emit(problem)

    def _reader(self, history: SoundHistory) -> Read:
        return Cleaned(history.read, self.person).read if self.clean or self.person else history.read

    def follow(self, history: SoundHistory, whole: Callable[[], bool]) -> None:
        """From the beginning while more comes, until it is `whole`; silence where it is late."""
        self.stop()
        if reason := self.hindrance():
            self.refused.emit(reason)
        elif problem := self._begin(lambda rate: Arriving(history, whole, rate)):
            self.failed.emit(problem)

    def monitor(self, history: SoundHistory) -> None:
        """What is heard from now on, while it is heard."""
        self.stop()
        whole = Spans.of([(history.n_samples, ENDLESS)])
        self.monitoring = True
        if problem := self._begin(lambda rate: Live(history, whole, rate=rate)):
            self.refused.emit(problem)

    def stop(self) -> None:
        stream, self._stream, self.monitoring = self._stream, None, False
        if stream is not None:
            stream.close()
            self.changed.emit()

    def _begin(self, made: Callable[[int], Playback]) -> str:
        """Open the loudspeaker for what is `made` for its rate; gives what went wrong, or nothing."""
        self._number, self._rate = self._number + 1, SAMPLE_RATE
        self._playback = made(SAMPLE_RATE)
        try:
            with PORTAUDIO:
                block = int(SAMPLE_RATE * BLOCK_S)
                self._stream = self._open(self._fill, block, self._set_rate, self.device)
                if self._rate != SAMPLE_RATE:
                    self._playback = made(self._rate)
                self._stream.start()
        except Exception as problem:  # PortAudio's, or OSError where there is no PortAudio
            self.stop()
            return tr(NO_LOUDSPEAKER, problem=problem)
        self.changed.emit()
        return ""

    def _set_rate(self, rate: int) -> None:
        self._rate = rate

    def _fill(self, out: np.ndarray, *_: Any) -> None:
        """The loudspeaker's callback."""
        out[:] = (self.volume * self._playback.take(len(out)))[:, None]
        if self._playback.over:
            self._finished.emit(self._number)

    def _end(self, number: int) -> None:
        if number == self._number:
            self.stop()


class Live(Playback):
    """What is heard right now; where it does not come in time, silence."""

    def __init__(self, history: SoundHistory, spans: Spans, rate: int) -> None:
        super().__init__(history.read, spans, rate=rate)

    def _next(self, n: int) -> np.ndarray:
        sound = self._spans.read(self._read, int(self._place), n)
        self._place += len(sound)
        return np.pad(sound, (0, n - len(sound)))


class Arriving(Live):
    """What is still being made, from its beginning to its end."""

    def __init__(self, history: SoundHistory, whole: Callable[[], bool], rate: int) -> None:
        super().__init__(history, Spans.of([(0, ENDLESS)]), rate)
        self._whole, self._history = whole, history

    @property
    def over(self) -> bool:
        """In this order: nothing is added behind the end."""
        return self._whole() and self._place >= self._history.n_samples


def _output_stream(
    fill: Callable[..., None], block: int, tell_rate: Callable[[int], None], device: str
) -> Any:
    """A stream of 16 kHz, or of the device's own rate where it takes no other."""
    import sounddevice

    sink = sink_named(device)
    opened = BY_SERVER if sink else device or None
    options = {"channels": 1, "dtype": "float32", "callback": fill, "device": opened}
    with opened_as(sink, "sinks"):
        try:
            return sounddevice.OutputStream(samplerate=SAMPLE_RATE, blocksize=block, **options)
        except sounddevice.PortAudioError:
            rate = int(sounddevice.query_devices(opened, kind="output")["default_samplerate"])
            tell_rate(rate)
            return sounddevice.OutputStream(samplerate=rate, **options)
