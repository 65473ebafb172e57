"""Four digits that somebody is to say now: asked for, heard within a time limit, and judged."""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from voicelane import Enroller, PipelineConfig, ProfileStore, Verifier
from voicelane.gui.model.preferences import Settings
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.work import enrolling
from voicelane.gui.work.enrolling import Enrolling
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.means import Means
from voicelane.live import Sound
from voicelane.profiles import Enrolment, in_space
from voicelane.stages import find_calibration
from voicelane.voices import (
    ANSWER_S,
    Outcome,
    classes_of,
    draw_digits,
    load_digit_reader,
    load_digit_speaker,
    outcome,
)

IDLE, PREPARING, SPEAKING, ASKING, JUDGING = "idle", "preparing", "speaking", "asking", "judging"


class Challenging(QObject):
    """One challenge at a time; its `state` is `idle`, `preparing`, `speaking`, `asking` or `judging`."""

    changed = Signal()
    failed = Signal(str)

    def __init__(self, means: Means) -> None:
        super().__init__()
        self._means, self._player = means, means.player
        self.recorder = Enrolling(means)
        self.state, self.asked = IDLE, list[int]()
        self.outcome: Outcome | None = None
        self.threshold: float | None = None
        """Log-likelihood ratio that was asked of the latest answer."""
        self._name, self._language, self._until_s = "", "en", 0.0
        self._limit = QTimer(self, singleShot=True)
        self._limit.timeout.connect(self.end)
        self._speaks = False
        self.recorder.changed.connect(self._follow)
        self.recorder.failed.connect(self._fail)
        self._player.changed.connect(self._spoken)

    @property
    def left_s(self) -> float:
        """Seconds to answer in."""
        return max(0.0, self._until_s - time.monotonic()) if self.state == ASKING else 0.0

    def begin(self, name: str, language: str, aloud: bool) -> None:
        """Ask an enrolled person of that name for digits, also `aloud` if that is wanted."""
        if self.state != IDLE:
            return
        self._name, self._language, self.outcome = name, language, None
        self.asked = draw_digits(np.random.default_rng())
        self._set(PREPARING)
        if not aloud:
            self.recorder.record()
            return
        classes = classes_of(self.asked, language)
        Job(lambda: _said(classes), self._speak, self._fail)

    def end(self) -> None:
        """The answer is over, in time or not."""
        self._limit.stop()
        if self.state == ASKING:
            self.recorder.stop()

    def cancel(self) -> None:
        """Forget it."""
        self._limit.stop()
        self._speaks = False
        if self.state != IDLE:
            self._set(IDLE)
            self.recorder.cancel()

    def forget(self) -> None:
        """Something else is looked at now."""
        if self.outcome is not None:
            self.outcome = None
            self.changed.emit()

    def _speak(self, sound: np.ndarray) -> None:
        if self.state != PREPARING:
            return
        history = SoundHistory()
        history.hear(Sound(0, sound))
        self._set(SPEAKING)
        self._speaks = True
        self._player.play(history, 0)
        self._spoken()

    def _spoken(self) -> None:
        """The digits were said, or cannot be: the microphone must not hear them."""
        if self._speaks and not self._player.busy:
            self._speaks = False
            self.recorder.record()

    def _follow(self) -> None:
        """What the microphone is at."""
        at, expected = self.recorder.state, (PREPARING, SPEAKING)
        if at == enrolling.RECORDING and self.state in expected:
            self._until_s = time.monotonic() + ANSWER_S
            self._limit.start(round(1_000 * ANSWER_S))
            self._set(ASKING)
        elif at == enrolling.JUDGING and self.state == ASKING:
            self._set(JUDGING)
        elif at == enrolling.READY and self.state == JUDGING and self.recorder.found is not None:
            self._judge(self.recorder.found)

    def _judge(self, heard: Enrolment) -> None:
        settings, store, name = self._means.preferences.now, self._means.open_store(), self._name
        asked, language = self.asked, self._language
        Job(lambda: _judged(heard, asked, language, name, settings, store), self._judged, self._fail)

    def _judged(self, found: tuple[Outcome, float]) -> None:
        if self.state == JUDGING:
            self.outcome, self.threshold = found
            self._set(IDLE)

    def _set(self, state: str) -> None:
        self.state = state
        self.changed.emit()

    def _fail(self, sentence: str) -> None:
        if self.state != IDLE:
            self.cancel()
            self.failed.emit(sentence)


def _said(classes: np.ndarray) -> np.ndarray:
    """Digits in a voice that nobody has, 16 kHz float32 (n,)."""
    return load_digit_speaker().say(classes, np.random.default_rng())


def _judged(
    heard: Enrolment, asked: list[int], language: str, name: str, settings: Settings, store: ProfileStore
) -> tuple[Outcome, float]:
    """What the answer is worth, and from which log-likelihood ratio on a voice is accepted."""
    config: PipelineConfig = settings.config()
    enroller = Enroller(config)
    calibration = find_calibration(config.encoder.model, enroller.space)
    person = in_space(store, store.profile(name), enroller).person()
    verifier = Verifier(person, calibration, settings.false_accepts)
    return outcome(heard, asked, language, person, verifier, load_digit_reader()), verifier.threshold
