"""A conversation spoken in English while it goes on: a sink that says what the translation says.

It has a process of its own for the speech, and never keeps the engine waiting: where speech falls too far
behind, some of it is left out, and that is told.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from voicelane.audio.loudspeaker import Loudspeaker
from voicelane.base.errors import ModelError, VoicelaneError
from voicelane.base.timebase import samples, seconds
from voicelane.config import PipelineConfig
from voicelane.events import Event, SpeakerTurn, Translated
from voicelane.labels.corrections import Relabelling
from voicelane.live.outbox import Sound
from voicelane.voices.dubbing import HURRY, silence
from voicelane.voices.speech_process import SpeechProcess
from voicelane.voices.synthetic import SyntheticSound, synthetic_file
from voicelane.voices.voice import Voice
from voicelane.voices.watermark import marked

ABOUT = "a translation into English, spoken by a computer"
UNKNOWN = "unknown"
"""Who says what no turn belongs to."""
REMEMBERED_SAMPLES = samples(120.0)
BEHIND_SAMPLES, TOO_LATE_SAMPLES = samples(6.0), samples(20.0)
"""So late is told; what would be later than that is left out."""
ENDING_S, PATIENT_S, POLL_S = 20.0, 3_600.0, 0.05
"""How long the end of a live stream, and that of a file, wait for what is still to be said."""
MOST_DEATHS = 3
STARTED_AGAIN = "the process that speaks died and is started again"
GIVEN_UP = f"the process that speaks died {MOST_DEATHS} times; nothing more is spoken"


class Speakers(Protocol):
    """What says lines; as `SpeechProcess`."""

    def ask(self, speaker: str, text: str, speed: float) -> None: ...
    def answer(self, timeout_s: float = 0.0) -> np.ndarray | None: ...
    def restart(self) -> None: ...
    def close(self) -> None: ...


class Ear(Protocol):
    """Where speech goes."""

    def play(self, at: int, sound: np.ndarray) -> None:
        """Float32 (n,) from a sample of the stream on, never before the end of what came before."""

    def end(self, length: int) -> None:
        """The stream was `length` samples long."""


class SpeechFile:
    """A file as long as the stream, silent but for the speech; it is there once it is ended."""

    def __init__(self, path: Path) -> None:
        """Opened when there is something to write, and whole or not there in the end."""
        self._path, self._stack, self._at = path, ExitStack(), 0
        self._file: SyntheticSound | None = None

    def play(self, at: int, sound: np.ndarray) -> None:
        self._write(silence(at - self._at))
        self._write([sound])

    def end(self, length: int) -> None:
        self._write(silence(length - self._at))
        self._stack.close()

    def _write(self, blocks: Iterable[np.ndarray]) -> None:
        file = self._file = self._file or self._stack.enter_context(synthetic_file(self._path, ABOUT))
        for block in blocks:
            file.write(block)
            self._at += len(block)


@dataclass(frozen=True)
class _Line:
    """What is to be said."""

    speaker: str
    end: int
    """Sample at which the original was over."""
    text: str


class Interpreter:
    """A sink that says every `Translated` line in the voice of whoever spoke, once it is over."""

    def __init__(
        self, speech: Speakers, ears: Iterable[Ear], told: Callable[[str], object], patient: bool
    ) -> None:
        """`told` takes sentences for people; a `patient` source waits for speech, and all of it is said."""
        self.speech, self._ears, self._told, self._patient = speech, list(ears), told, patient
        self._labels, self._turns = Relabelling(), list[SpeakerTurn]()
        self._waiting, self._asked = deque[_Line](), list[_Line]()
        self._now = self._until = self._deaths = 0
        self._left_out, self._told_behind, self._mute = 0, False, False

    def hear(self, sound: Sound) -> None:
        """The clock of the stream."""
        self._now = sound.sample + len(sound.samples)
        self._go_on()

    def put(self, event: Event) -> None:
        self._labels = self._labels.after(event)
        if isinstance(event, SpeakerTurn):
            oldest = event.sample - REMEMBERED_SAMPLES
            known = (t for t in self._turns if (t.speaker, t.start) != (event.speaker, event.start))
            self._turns = [*(t for t in known if t.end > oldest), event]
        elif isinstance(event, Translated) and any(map(str.isalnum, event.text)):
            self._waiting.append(_Line(self._speaker(event), event.end, event.text))
        self._go_on()

    def close(self) -> None:
        """Say what is left, as long as that may take."""
        until_s = time.monotonic() + (PATIENT_S if self._patient else ENDING_S)
        while (self._waiting or self._asked) and not self._mute and time.monotonic() < until_s:
            self._step(POLL_S)
        self._left_out += len(self._waiting) + len(self._asked)
        self._tell_left_out()
        for ear in self._ears:
            ear.end(max(self._now, self._until))
        self.speech.close()

    def _speaker(self, said: Translated) -> str:
        """Whose turns cover most of it."""
        shares = dict[str, int]()
        for turn in self._turns:
            both = min(turn.end, said.end) - max(turn.start, said.start)
            name = self._labels.shown(turn.speaker)
            shares[name] = shares.get(name, 0) + max(0, both)
        best = max(shares, key=lambda name: shares[name], default=UNKNOWN)
        return best if shares.get(best) else UNKNOWN

    def _go_on(self) -> None:
        """Whatever can be done without waiting."""
        while not self._mute and self._step(0.0):
            pass

    def _step(self, wait_s: float) -> bool:
        """Take an answer, or ask for the next line; False where there is nothing to do."""
        try:
            if self._asked:
                return self._take(self._asked[0], wait_s)
            return self._ask()
        except (EOFError, OSError):
            return self._revive()
        except VoicelaneError as problem:
            self._asked.clear()
            self._told(str(problem))
            return True

    def _ask(self) -> bool:
        if not self._waiting:
            return False
        line = self._waiting.popleft()
        late = max(self._now, self._until) - line.end
        if not self._patient and late > TOO_LATE_SAMPLES:
            self._left_out += 1
            return True
        self._tell_left_out()
        self._watch(late)
        self._asked.append(line)
        self.speech.ask(line.speaker, line.text, HURRY if self._told_behind else 1.0)
        return True

    def _take(self, line: _Line, wait_s: float) -> bool:
        sound = self.speech.answer(wait_s)
        if sound is None:
            return False
        self._asked.clear()
        at = max(self._until, line.end if self._patient else self._now)
        for ear in self._ears:
            ear.play(at, sound)
        self._until = at + len(sound)
        return True

    def _watch(self, late: int) -> None:
        """Tell when speech falls behind, and when it is in time again."""
        behind = not self._patient and late >= BEHIND_SAMPLES
        if behind != self._told_behind:
            self._told_behind = behind
            self._told(f"speech is {seconds(late):.0f} s behind" if behind else "speech is in time again")

    def _tell_left_out(self) -> None:
        if self._left_out:
            self._told(f"speech is too far behind; sentences that are not spoken: {self._left_out}")
            self._left_out = 0

    def _revive(self) -> bool:
        """Start a process that died anew; the line that it died of is not said again."""
        self._asked.clear()
        self._deaths += 1
        self._mute = self._deaths == MOST_DEATHS
        self._told(GIVEN_UP if self._mute else STARTED_AGAIN)
        try:
            if not self._mute:
                self.speech.restart()
        except ModelError as problem:
            self._told(str(problem))
            self._mute = True
        return not self._mute


class PlayedSpeech:
    """Speech by the loudspeaker, as soon as it is there, with the mark."""

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        self._loudspeaker = loudspeaker

    def play(self, at: int, sound: np.ndarray) -> None:
        self._loudspeaker.play(marked(sound))

    def end(self, length: int) -> None:
        """Let what waits be heard."""
        until_s = time.monotonic() + ENDING_S
        while not self._loudspeaker.silent and time.monotonic() < until_s:
            time.sleep(POLL_S)
        self._loudspeaker.close()


def interpreter(
    config: PipelineConfig,
    own: Mapping[str, Voice],
    ears: Iterable[Ear],
    told: Callable[[str], object],
    patient: bool,
) -> Interpreter:
    """With a process of its own that is ready; `own` are the voices of people who consented.

    Raises `ModelError`."""
    speech = SpeechProcess(config, own)
    speech.wait_until_ready()
    return Interpreter(speech, ears, told, patient)
