"""Voices that are nobody's and people's who consent: made, listed, and given to text."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal

from voicelane import Enroller, PipelineConfig, ProfileStore
from voicelane.base import StoreError, samples
from voicelane.gui.model.gallery import PERSON, Gallery, gallery
from voicelane.gui.model.language import later, tr
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.model.wording import words_for
from voicelane.gui.work.enrolling import Enrolling
from voicelane.gui.work.jobs import Course, Job
from voicelane.gui.work.means import Means
from voicelane.gui.work.speech import Order, Speech
from voicelane.live import Sound
from voicelane.profiles import Enrolment
from voicelane.stages import find_calibration
from voicelane.voices import (
    GUIDANCE,
    STEPS,
    Voice,
    VoiceLibrary,
    check_output,
    consenting_voice,
    load_pseudo_voices,
    missing_parts,
    pseudo_voice,
    synthetic_file,
    voice_heard,
    whose,
)

IDLE, MAKING, SAYING, SAVING = "idle", "making", "saying", "saving"
REFERENCE = "reference"
"""The kind of voice that is a recording's."""
STEM = "pseudo"
SAMPLE = "Hello. Nobody recorded this sentence; a computer says it in this voice."
NO_REFERENCE = later("there is no reference yet; choose a recording of one person, or record one")
LETTERS_PER_S = 15.0
"""Of the English voice, to say how far it is."""
BLOCK = samples(1.0)


@dataclass(frozen=True)
class Wanted:
    """What is to be said, and how."""

    text: str
    kind: str
    """`pseudo`, `person` or `reference`."""
    name: str
    speed: float = 1.0
    language: str = "en"


@dataclass(frozen=True)
class Spoken:
    """What was said."""

    sound: SoundHistory
    voice: Voice


class Voicing(QObject):
    """One thing at a time; `state` is `idle`, `making`, `saying` or `saving`."""

    changed = Signal()
    listed = Signal()
    """The voices were read anew."""
    begins = Signal()
    failed = Signal(str)
    told = Signal(str)
    _arrives = Signal(object, object)
    """The sound and the course of what is being said."""

    def __init__(self, means: Means) -> None:
        super().__init__()
        self._means, self.player = means, means.player
        self.reference = Enrolling(means)
        """Hears, from the microphone or a file, a voice to speak like; it is not kept."""
        self.reference_name = ""
        self.gallery, self.state, self.course = Gallery(), IDLE, Course()
        self.spoken: Spoken | None = None
        self.missing = missing_parts()
        self._speech, self._prepared = Speech(), False
        self._arrives.connect(self._hear, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether anything goes on that can be seen or heard."""
        return self.state != IDLE or self.player.busy

    def refresh(self) -> None:
        """Read which voices there are."""
        store, config = self._means.open_store(), self._means.preferences.now.config()
        Job(lambda: gallery(store, config), self._list, self.failed.emit)

    def make(
        self, name: str, pitch_hz: float, seed: int | None, guidance: float = GUIDANCE, steps: int = STEPS
    ) -> None:
        """Draw a voice that nobody has, and keep it; without a name it gets the next free one."""
        seed = secrets.randbelow(2**31) if seed is None else seed
        config, rng = self._means.preferences.now.config(), np.random.default_rng(seed)

        def made(course: Course) -> str:
            library, drawing = VoiceLibrary(), load_pseudo_voices(Enroller(config).space.encoder_id)
            called = name.strip() or library.unused(STEM, 1)[0]
            library.add(drawing.at_pitch(called, pitch_hz, rng, guidance, steps))
            return called

        self._begin(
            MAKING,
            made,
            lambda called: self._kept(
                tr("{name} is made; seed {seed} draws it again", name=called, seed=seed)
            ),
        )

    def remove(self, name: str) -> None:
        """Delete a voice of nobody for good."""
        self._change(lambda: VoiceLibrary().remove(name))

    def set_consent(self, name: str, given: bool) -> None:
        """Record that a person allows speech in their voice, or does not any more."""
        self._change(lambda: self._means.open_store().set_consent(name, given))

    def hear_reference(self, path: str) -> None:
        """Take a file of one person as the reference."""
        self.reference_name = Path(path).name
        self.reference.hear_file(path)

    def record_reference(self) -> None:
        """Take what the microphone hears from now on."""
        self.reference_name = tr("the recording")
        self.reference.record()

    def prepare(self) -> None:
        """Something will be said soon: let what says it load."""
        config = self._means.preferences.now.config()
        if not (self.missing or self._prepared):
            self._prepared = True
            Job(lambda: self._speech.prepare(config))

    def say(self, wanted: Wanted) -> None:
        """Say a text, and let it be heard as it comes."""
        config, store = self._means.preferences.now.config(), self._means.open_store()
        heard = self.reference.found

        def said(course: Course) -> Spoken:
            if wanted.kind == REFERENCE:
                voice = self._heard_voice(heard, store, config)
            else:
                voice = _known_voice(wanted, store, config)
            order = Order(wanted.text, voice, wanted.speed, wanted.language)
            expected = samples(len(wanted.text) / LETTERS_PER_S / wanted.speed)
            pieces = self._speech.say(order, config, lambda: course.reach(course.share))
            return Spoken(_gathered(pieces, course, expected, self._arrives.emit), voice)

        self.player.stop()
        self._begin(SAYING, said, self._said)

    def play(self) -> None:
        """Hear what was said last, once more."""
        if self.spoken is not None:
            self.player.play(self.spoken.sound, 0)

    def save(self, path: Path) -> None:
        """Write what was said last, with the mark and its origin."""
        spoken = self.spoken
        if spoken is None:
            return

        def saved(course: Course) -> Path:
            check_output(path)
            with synthetic_file(path, whose(spoken.voice)) as file:
                for start in range(0, spoken.sound.n_samples, BLOCK):
                    file.write(spoken.sound.read(start, start + BLOCK))
                    course.reach(start / spoken.sound.n_samples)
            return path

        self._begin(
            SAVING,
            saved,
            lambda where: self.told.emit(tr("saved, marked as synthetic: {where}", where=where)),
        )

    def cancel(self) -> None:
        """Leave what is being made or said; nothing of it stays."""
        self.course.cancel()
        if self.state == SAYING:
            self.player.stop()

    def close(self) -> None:
        """The window goes: nothing is heard, made or said any more."""
        self.player.stop()
        self.cancel()
        self._speech.close()

    def _begin(self, state: str, work: Callable[[Course], object], done: Callable[..., None]) -> None:
        """Work away from the window, unless there is some already."""
        if self.state != IDLE:
            return
        course = self.course = Course()
        self.begins.emit()
        self._set(state)

        def finish(result: object) -> None:
            self._set(IDLE)
            if result is not None:
                done(result)

        Job(lambda: work(course), finish, self._fail)

    def _said(self, spoken: Spoken) -> None:
        self.spoken = spoken
        self.changed.emit()

    def _hear(self, sound: SoundHistory, course: Course) -> None:
        """The first of what is said is there."""
        if not course.cancelled:
            self.player.follow(sound, lambda: course is not self.course or self.state != SAYING)

    def _kept(self, sentence: str) -> None:
        self.told.emit(sentence)
        self.refresh()

    def _list(self, found: Gallery) -> None:
        self.gallery = found
        self.listed.emit()

    def _change(self, act: Callable[[], object]) -> None:
        """A short act on what is kept."""
        try:
            act()
        except (StoreError, OSError) as problem:
            self.failed.emit(words_for(problem))
        self.refresh()

    def _heard_voice(self, heard: Enrolment | None, store: ProfileStore, config: PipelineConfig) -> Voice:
        """The voice of the reference; raises `VoicelaneError` where it cannot be used."""
        if heard is None:
            raise StoreError(tr(NO_REFERENCE))
        space = Enroller(config).space
        calibration = find_calibration(config.encoder.model, space)
        return voice_heard(heard, self.reference_name, store, space, calibration)

    def _set(self, state: str) -> None:
        self.state = state
        self.changed.emit()

    def _fail(self, sentence: str) -> None:
        self._set(IDLE)
        self.failed.emit(sentence)


def _known_voice(wanted: Wanted, store: ProfileStore, config: PipelineConfig) -> Voice:
    """A voice by its name; raises `StoreError`, also where a person has not consented."""
    enroller = Enroller(config)
    if wanted.kind == PERSON:
        return consenting_voice(wanted.name, store, enroller)
    return pseudo_voice(wanted.name, enroller.space.encoder_id)


def _gathered(
    pieces: Generator[np.ndarray],
    course: Course,
    expected_samples: int,
    arrives: Callable[[SoundHistory, Course], object],
) -> SoundHistory:
    """Speech as it comes; `arrives` is called once there is some."""
    found = SoundHistory()
    with closing(pieces):
        for piece in pieces:
            first = not found.n_samples
            found.hear(Sound(found.n_samples, piece))
            course.reach(min(0.95, found.n_samples / max(1, expected_samples)))
            if first and found.n_samples:
                arrives(found, course)
    return found
