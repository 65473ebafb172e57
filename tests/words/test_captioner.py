"""Captions while people speak, with a recogniser whose answers and death are written here."""

from __future__ import annotations

import time

import numpy as np
import pytest

from voicelane import ArraySource, LiveSession, Pipeline, SpeakerTurn, SpeechEnded, SpeechStarted
from voicelane.base import samples
from voicelane.base.errors import ModelError, VoicelaneError
from voicelane.events import Caption, CaptionsBehind, CaptionsRemark, Event, SoundDropped, Translated, Word
from voicelane.live import Sound
from voicelane.words import Captioner, CaptionSettings, Heard
from voicelane.words import captioner as rooms

BLOCK = samples(0.1)


class Scribe:
    """In the place of the process: hears a word in each half second of sound, `slow` questions late."""

    made: Scribe

    def __init__(self, model: str = "", language: str = "", translate: bool = False) -> None:
        Scribe.made = self
        self.slow = self.closed = 0
        self.asked: list[np.ndarray] = []
        self.translations: list[str] = []
        self.dies: list[int] = []
        """Which questions it dies of, counted from 0."""
        self.fails: list[int] = []
        self.restarts = 0
        self.probability = 1.0
        self._patience = 0

    def wait_until_ready(self) -> None:
        """It always is."""

    def ask(self, sound: np.ndarray, translate: bool = False) -> None:
        self.asked.append(sound)
        self.translations.append("in English" if translate else "")
        self._patience = self.slow
        if len(self.asked) - 1 in self.dies:
            raise BrokenPipeError

    def answer(self, timeout_s: float = 0.0) -> Heard | None:
        if self._patience > 0:
            self._patience -= 1
            return None
        if len(self.asked) - 1 in self.fails:
            raise VoicelaneError("a piece could not be recognised (it is odd)")
        sound = self.asked[-1]
        words = [
            Word(i, min(i + 8_000, len(sound)), f" {round(float(sound[i]))}", 0.9)
            for i in range(0, len(sound) - 4_000, 8_000)
        ]
        return Heard(tuple(words), "en", self.probability, self.translations[-1])

    def restart(self) -> None:
        self.restarts += 1

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def scribe(monkeypatch):
    monkeypatch.setattr(rooms, "RecogniserProcess", Scribe)


def spoken(seconds: float, first: float = 0.0) -> np.ndarray:
    """Sound whose value says in which half second it is."""
    return np.floor(np.arange(samples(seconds)) / 8_000 + 2 * first).astype(np.float32)


def play(
    captioner: Captioner, seconds: float, events: dict[float, Event], patient: bool = False
) -> list[Event]:
    """What it says of so much sound, in blocks of 100 ms, with events at their times."""
    said: list[Event] = []
    captioner.speak(said.append, patient)
    sound = spoken(seconds)
    for at in range(0, len(sound), BLOCK):
        for when in [w for w in events if at <= samples(w) < at + BLOCK]:
            captioner.put(events[when])
        captioner.hear(Sound(at, sound[at : at + BLOCK]))
    captioner.close()
    return said


def turn(speaker: str, start_s: float, end_s: float, final: bool = True) -> SpeakerTurn:
    start, end = samples(start_s), samples(end_s)
    confirmed = end if final else max(start, end - samples(1.0))
    return SpeakerTurn(end, speaker, start, end, confirmed, 0.9, final)


def running(speaker: str, start_s: float, end_s: float) -> dict[float, Event]:
    """A turn as it is told while it goes on, and in the end."""
    steps = np.arange(start_s + 0.4, end_s, 0.4)
    told = {float(at): turn(speaker, start_s, float(at), final=False) for at in steps}
    return told | {end_s + 0.1: turn(speaker, start_s, end_s)}


SPEECH = {0.5: SpeechStarted(8_000, 8_000), 5.0: SpeechEnded(80_000, 8_000, 80_000)}


def captions(said: list[Event], final: bool) -> list[Caption]:
    return [e for e in said if isinstance(e, Caption) and e.final is final and e.words]


def test_words_are_tentative_first_then_final_and_all_are_told_once(scribe):
    said = play(Captioner(), 8.0, SPEECH | running("S1", 0.5, 5.0))
    assert captions(said, False)[0].sample < samples(2.0)
    final = captions(said, True)
    assert {c.speaker for c in final} == {"S1"} and {c.language for c in final} == {"en"}
    words = [w for c in final for w in c.words]
    assert [w.start for w in words] == sorted({w.start for w in words}) and len(words) >= 9
    assert words[0].start < samples(1.0) and words[-1].end > samples(4.5)
    assert not [e for e in said if isinstance(e, Caption) and not e.final][
        -1
    ].words  # nothing stays tentative
    assert Scribe.made.closed == 1


def test_silence_is_never_recognised(scribe):
    assert play(Captioner(), 5.0, {}) == [] and not Scribe.made.asked


def test_a_final_word_waits_for_the_label_of_its_moment(scribe):
    """The running turn says S1 first; the engine settles on S2."""
    events = SPEECH | {
        1.0: turn("S1", 0.5, 1.0, final=False),
        2.0: turn("S2", 0.5, 2.0, final=False),
        5.6: turn("S2", 0.5, 5.0),
    }
    said = play(Captioner(), 8.0, events)
    assert "S1" in {c.speaker for c in captions(said, False)}
    assert {c.speaker for c in captions(said, True)} == {"S2"}


def test_two_people_have_captions_of_their_own(scribe):
    events = SPEECH | running("S1", 0.5, 3.0) | running("S2", 3.0, 5.0)
    said = play(Captioner(), 8.0, events)
    for caption in captions(said, True):
        assert caption.end <= samples(3.3) if caption.speaker == "S1" else caption.start >= samples(2.7)


def test_speech_in_nobodys_turn_is_nobodys(scribe):
    said = play(Captioner(), 9.0, SPEECH)
    assert {c.speaker for c in captions(said, True)} == {""}


def test_a_slow_recogniser_tells_how_late_it_is_and_leaves_speech_out(scribe, monkeypatch):
    monkeypatch.setattr(rooms, "ENDING_S", 0.1)
    captioner = Captioner()
    Scribe.made.slow = 1_000_000
    said = play(captioner, 60.0, {0.5: SpeechStarted(8_000, 8_000)}, patient=False)
    late = [e for e in said if isinstance(e, CaptionsBehind)]
    assert late[0].behind_s >= 6.0 and late[0].left_out_s == 0.0
    assert sum(e.left_out_s for e in late) > 30.0


def test_sound_that_came_too_fast_for_its_queue_has_no_captions_and_that_is_told(scribe):
    said = play(Captioner(), 8.0, SPEECH | {2.0: SoundDropped(32_000, 16_000)})
    assert CaptionsBehind(32_000, 0.0, 1.0) in said and captions(said, True)


def test_a_slow_recogniser_loses_nothing_of_a_file(scribe):
    captioner = Captioner()
    Scribe.made.slow = 30
    said = play(captioner, 70.0, {0.5: SpeechStarted(8_000, 8_000)}, patient=True)
    assert not [e for e in said if isinstance(e, CaptionsBehind)]
    heard = {int(w.text) for c in captions(said, True) for w in c.words}
    assert set(range(1, 139)) <= heard
    assert len(Scribe.made.asked) < 10  # each stretch once, none again and again


def test_a_process_that_dies_is_started_again_and_told(scribe):
    captioner = Captioner()
    Scribe.made.dies = [2]
    said = play(captioner, 8.0, SPEECH | {5.2: turn("S1", 0.5, 5.0)})
    (remark,) = [e.remark for e in said if isinstance(e, CaptionsRemark)]
    assert "died and is started again" in remark and Scribe.made.restarts == 1
    words = [w for c in captions(said, True) for w in c.words]
    assert words[0].start < samples(1.0) and words[-1].end > samples(4.5)


def test_a_process_that_dies_again_and_again_is_given_up(scribe):
    captioner = Captioner()
    Scribe.made.dies = list(range(100))
    said = play(captioner, 8.0, SPEECH)
    remarks = [e.remark for e in said if isinstance(e, CaptionsRemark)]
    assert len(remarks) == 3 and "there are no more captions" in remarks[-1]
    assert len(Scribe.made.asked) == 3


def test_a_model_that_is_gone_by_then_ends_captions_in_one_sentence(scribe, monkeypatch):
    captioner = Captioner()
    Scribe.made.dies = [0]

    def gone() -> None:
        raise ModelError("the model is not there any more")

    monkeypatch.setattr(Scribe.made, "restart", gone)
    said = play(captioner, 8.0, SPEECH)
    assert [e.remark for e in said if isinstance(e, CaptionsRemark)][1] == "the model is not there any more"


def test_a_piece_that_cannot_be_recognised_is_left_out(scribe):
    captioner = Captioner()
    Scribe.made.fails = [1]
    said = play(captioner, 8.0, SPEECH)
    assert ["odd" in e.remark for e in said if isinstance(e, CaptionsRemark)] == [True]
    assert captions(said, True)


def test_an_unclear_language_is_told_once(scribe):
    captioner = Captioner()
    Scribe.made.probability = 0.2
    said = play(captioner, 8.0, SPEECH)
    assert [e.remark for e in said if isinstance(e, CaptionsRemark)] == [rooms.NO_LANGUAGE]


class Ears:
    """A sink that keeps what it is told, and when it was closed."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.closed = False

    def put(self, event: Event) -> None:
        assert not self.closed
        self.told.append(event)

    def close(self) -> None:
        self.closed = True


class Talker:
    """A sink that speaks: of everything, and once more when it ends."""

    def __init__(self, lasts_s: float = 0.0) -> None:
        self._lasts_s = lasts_s
        self.patient: bool | None = None

    def speak(self, say, patient):
        self._say, self.patient = say, patient

    def put(self, event: Event) -> None:
        if isinstance(event, SpeakerTurn):
            self._say(CaptionsRemark(event.sample, "a turn"))

    def close(self) -> None:
        time.sleep(self._lasts_s)
        self._say(CaptionsRemark(0, "the end"))


def test_what_a_sink_says_is_told_to_all_others_to_its_end(speech):
    ears, talker = Ears(), Talker(0.3)
    with LiveSession(ArraySource(speech[:64_000]), Pipeline(), [ears, talker]) as session:
        session.wait()
    remarks = [e.remark for e in ears.told if isinstance(e, CaptionsRemark)]
    assert ears.closed and remarks[-1] == "the end" and "a turn" in remarks and talker.patient is True


def test_a_sink_that_speaks_can_come_and_go(speech):
    ears, talker = Ears(), Talker()
    with LiveSession(ArraySource(speech[:64_000], realtime=True), Pipeline(), [ears]) as session:
        session.attach(talker)
        time.sleep(1.0)
        session.detach(talker)
        session.wait()
    assert talker.patient is False
    assert [e for e in ears.told if isinstance(e, CaptionsRemark)][-1].remark == "the end"


@pytest.mark.parametrize("patient", [False, True])
def test_each_phrase_is_translated_once_when_it_is_over(scribe, patient):
    events = SPEECH | {6.0: SpeechStarted(96_000, 96_000), 8.0: SpeechEnded(128_000, 96_000, 128_000)}
    said = play(Captioner(CaptionSettings(translate=True)), 10.0, events, patient)
    told = [e for e in said if isinstance(e, Translated)]
    assert [t.text for t in told] == ["in English"] * 2
    assert told[0].end <= samples(5.5) < samples(5.8) <= told[1].start
    plain = play(Captioner(), 10.0, events, patient)
    assert not [e for e in plain if isinstance(e, Translated)]


def test_settings_of_captions():
    assert CaptionSettings() == CaptionSettings("base", "")
    assert rooms.captioner(False) is None
