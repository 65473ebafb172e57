"""Captions while people speak: a sink that has its own recogniser, and says what it heard as events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from voicelane.base.errors import ModelError, VoicelaneError
from voicelane.base.timebase import samples, seconds
from voicelane.events import (
    Caption,
    CaptionsBehind,
    CaptionsRemark,
    Event,
    SoundDropped,
    SpeakerTurn,
    Translated,
    Word,
)
from voicelane.live.outbox import Sound
from voicelane.words.agreement import Agreement
from voicelane.words.owners import Owners
from voicelane.words.process import RecogniserProcess
from voicelane.words.recogniser import Heard
from voicelane.words.tape import Phrases, Tape
from voicelane.words.timing import shifted

MODEL = "base"
STEP_SAMPLES = samples(0.5)
"""New sound that makes it worth while to recognise a running phrase again."""
MARGIN_SAMPLES = samples(0.2)
LONGEST_SAMPLES, PATIENT_SAMPLES = samples(14.0), samples(26.0)
"""Of a piece, live and where the source waits."""
BEHIND_SAMPLES, TOLD_SAMPLES = samples(6.0), samples(4.0)
"""So late is told, and again when it changes by so much."""
TOO_LATE_SAMPLES, KEPT_SAMPLES = samples(40.0), samples(6.0)
"""Speech that waits longer is left out, but for the latest of it."""
ENDING_S, PATIENT_S, FULL_S = 20.0, 3_600.0, 60.0
"""How long the end of a live stream, that of a file, and a file that runs away wait for words."""
MOST_DEATHS = 3
DOUBTFUL, TELLING_SAMPLES = 0.35, samples(3.0)
"""A language less probable than this is told where so much was heard."""
STARTED_AGAIN = "the process that recognises words died and is started again"
GIVEN_UP = f"the process that recognises words died {MOST_DEATHS} times; there are no more captions"
NO_LANGUAGE = "the language of the speech is not clear; name it, as `--language en` does"


@dataclass(frozen=True)
class CaptionSettings:
    """What recognises the words of a session."""

    model: str = MODEL
    """A Whisper model, by name or folder."""
    language: str = ""
    """Two letters, empty to find it out."""
    translate: bool = False
    """Whether each phrase is told in English as well, once it is over."""


@dataclass(frozen=True)
class _Asked:
    """What the process is at."""

    start: int
    end: int
    over: bool
    """Whether the phrase ends there."""
    torn: bool = False
    """Whether it is cut there, in the middle of speech."""


class Captioner:
    """A sink that recognises what it hears in a process of its own.

    It is given to `LiveSession` as any other sink, and what it says is told to all of them. Where the source
    waits for nobody it keeps up with it: it is told how late captions are, then some speech has none.
    """

    def __init__(self, settings: CaptionSettings | None = None) -> None:
        """Loads the model; raises `ModelError`."""
        settings = settings or CaptionSettings()
        self.process = RecogniserProcess(settings.model, settings.language, settings.translate)
        self._translate = settings.translate
        self.process.wait_until_ready()
        self._say: Callable[[Event], None] = lambda event: None
        self._patient = self._ended = self._deaf = self._is_news = False
        self._tape, self._phrases, self._agreement = Tape(), Phrases(), Agreement()
        self._owners = Owners()
        self._asked: _Asked | None = None
        self._done = self._tried = self._told_behind = self._told_at = 0
        self._deaths, self._language, self._doubted = 0, "", False
        self._picture: list[Caption] = []

    def speak(self, say: Callable[[Event], None], patient: bool) -> None:
        """Give what it has to say to `say`; a `patient` source waits for it."""
        self._say, self._patient = say, patient

    def hear(self, sound: Sound) -> None:
        self._tape.append(sound)
        self._go_on()

    def put(self, event: Event) -> None:
        self._phrases.see(event)
        if isinstance(event, SpeakerTurn):
            self._owners.see(event)
            self._is_news = True
        elif isinstance(event, SoundDropped):
            self._say(CaptionsBehind(event.sample, 0.0, round(seconds(event.lost_samples), 1)))

    def close(self) -> None:
        """Recognise what is left, as long as that may take, and end the process."""
        self._ended = True
        self._phrases.finish(self._tape.end)
        until_s = time.monotonic() + (PATIENT_S if self._patient else ENDING_S)
        while not self._deaf and (self._asked or self._phrases.first()) and time.monotonic() < until_s:
            if not self._step(wait_s=0.1):
                break
        self._owners.add(self._agreement.close())
        self._tell()
        if not self._deaf and (left := self._tape.end - self._waiting_from()) > STEP_SAMPLES:
            self._say(CaptionsBehind(self._tape.end, 0.0, round(seconds(left), 1)))
        self.process.close()

    def _go_on(self) -> None:
        """Whatever can be done now; waits only where the source does."""
        while not self._deaf and self._step(wait_s=FULL_S if self._is_full() else 0.0):
            pass
        self._watch()
        self._tape.forget(min(self._waiting_from(), self._tape.end - samples(2.0)))
        if self._is_news or self._tape.end - self._told_at >= STEP_SAMPLES:
            self._tell()

    def _is_full(self) -> bool:
        """Whether a patient source had better wait."""
        return self._patient and self._tape.end - self._waiting_from() > 2 * PATIENT_SAMPLES

    def _waiting_from(self) -> int:
        """The sample up to which all speech was recognised."""
        phrase = self._phrases.first()
        return max(phrase[0] - MARGIN_SAMPLES, self._done) if phrase else self._tape.end

    def _step(self, wait_s: float) -> bool:
        """Take an answer or ask for the next one; False where there is nothing to do."""
        try:
            if self._asked:
                return self._take_answer(self._asked, wait_s)
            self._asked = self._next()
            if self._asked:
                sound = self._tape.cut(self._asked.start, self._asked.end)
                self.process.ask(sound, self._translate and (self._asked.over or self._asked.torn))
            return self._asked is not None
        except (EOFError, OSError):
            return self._revive()
        except VoicelaneError as problem:
            self._remark(str(problem))
            return self._skip()

    def _next(self) -> _Asked | None:
        """What to recognise now."""
        phrase, now = self._phrases.first(), self._tape.end
        if phrase is None:
            return None
        start = max(self._waiting_from(), self._tape.start)
        over = self._ended or self._phrases.is_over(now)
        end = min((phrase[1] or now) + MARGIN_SAMPLES, now)
        longest = PATIENT_SAMPLES if self._patient else LONGEST_SAMPLES
        if end - start > longest:
            return _Asked(start, start + longest, False, torn=True)
        if over:
            return _Asked(start, end, True)
        enough = end - max(start, self._tried) >= STEP_SAMPLES
        return _Asked(start, end, False) if enough and not self._patient else None

    def _take_answer(self, asked: _Asked, wait_s: float) -> bool:
        heard = self.process.answer(wait_s)
        if heard is None:
            return self._ended
        self._asked, self._tried, self._is_news = None, asked.end, True
        self._doubt(heard, asked)
        self._language = heard.language
        words = list(shifted(heard.words, asked.start))
        if heard.translation:
            self._say(Translated(self._tape.end, words[0].start, words[-1].end, heard.translation))
        if asked.torn:
            self._tear(words, asked)
        else:
            self._owners.add(self._agreement.take(words))
            self._take_stock(asked)
        return True

    def _take_stock(self, asked: _Asked) -> None:
        """End a phrase that is over; begin a long one anew behind what is sure of it."""
        if asked.over:
            self._owners.add(self._agreement.close())
            self._finish(asked.end)
        elif cut := self._agreement.cut():
            self._finish(cut)

    def _tear(self, words: Sequence[Word], asked: _Asked) -> None:
        """A piece that was cut by its length: what is whole of it is sure."""
        whole = self._agreement.take(words)
        more, cut = self._agreement.tear()
        self._owners.add([*whole, *more])
        self._finish(cut or asked.end)

    def _finish(self, until: int) -> None:
        self._done = max(self._done, until)
        self._phrases.advance(until)

    def _skip(self) -> bool:
        """Go on behind the piece that cannot be recognised."""
        if self._asked:
            self._owners.add(self._agreement.close())
            self._finish(self._asked.end)
        self._asked = None
        return True

    def _revive(self) -> bool:
        """Start a process that died anew; a piece that it dies of twice is skipped."""
        self._deaths += 1
        if self._deaths > 1:
            self._skip()
        self._asked, self._deaf = None, self._deaths == MOST_DEATHS
        self._remark(GIVEN_UP if self._deaf else STARTED_AGAIN)
        try:
            if not self._deaf:
                self.process.restart()
        except ModelError as problem:
            self._remark(str(problem))
            self._deaf = True
        return not self._deaf

    def _watch(self) -> None:
        """Tell how late captions are, and leave speech out that waits too long."""
        late = self._tape.end - max(self._waiting_from(), self._tried)
        if self._patient or self._deaf:
            return
        left_out = 0
        if late > TOO_LATE_SAMPLES:
            left_out = late - KEPT_SAMPLES
            self._owners.add(self._agreement.close())
            self._finish(self._tape.end - KEPT_SAMPLES)
            late = KEPT_SAMPLES
        shown = late if late >= BEHIND_SAMPLES else 0
        if left_out or abs(shown - self._told_behind) >= TOLD_SAMPLES:
            self._told_behind = shown
            self._say(CaptionsBehind(self._tape.end, round(seconds(shown), 1), round(seconds(left_out), 1)))

    def _doubt(self, heard: Heard, asked: _Asked) -> None:
        """Tell once where the language is not clear."""
        unclear = heard.words and heard.language_probability < DOUBTFUL
        if unclear and not self._doubted and asked.end - asked.start >= TELLING_SAMPLES:
            self._doubted = True
            self._remark(NO_LANGUAGE)

    def _remark(self, sentence: str) -> None:
        self._say(CaptionsRemark(self._tape.end, sentence))

    def _tell(self) -> None:
        """Final captions of words whose speaker is settled, then the picture of all others."""
        now, language = self._tape.end, self._language
        self._told_at, self._is_news = now, False
        for line in self._owners.settled(now, self._ended):
            self._say(_caption(line.speaker, line.words, now, True, language))
        lines = self._owners.likely(self._agreement.rest())
        picture = [_caption(line.speaker, line.words, now, False, language) for line in lines]
        if [replace(c, sample=0) for c in picture] == [replace(c, sample=0) for c in self._picture]:
            return
        gone, self._picture = self._picture, picture
        for caption in picture or [replace(c, sample=now, words=(), end=c.start) for c in gone[:1]]:
            self._say(caption)


def _caption(speaker: str, words: tuple[Word, ...], now: int, final: bool, language: str) -> Caption:
    return Caption(now, speaker, words[0].start, words[-1].end, words, final, language)


def captioner(captions: bool | str | Path | CaptionSettings) -> Captioner | None:
    """What `captions` asks for: True takes the default model, text or a path that one, False none."""
    if captions is False:
        return None
    if isinstance(captions, CaptionSettings):
        return Captioner(captions)
    return Captioner(CaptionSettings() if captions is True else CaptionSettings(str(captions)))
