"""A conversation spoken in English while it goes on: who speaks when, and what is left out."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("pyworld")
from tests.cli.test_main import voicelane, wav
from tests.words.models import base_model
from tests.words.test_captioner import turn
from voicelane import ArraySource, Enroller, PipelineConfig, ProfileStore
from voicelane.audio.loudspeaker import Loudspeaker
from voicelane.base.errors import VoicelaneError
from voicelane.base.timebase import samples
from voicelane.events import SpeakerIdentified, Translated
from voicelane.live import Sound
from voicelane.voices import casting, heard_mark
from voicelane.voices.dubbing import HURRY
from voicelane.voices.interpreter import GIVEN_UP, STARTED_AGAIN, Interpreter, SpeechFile

BLOCK = samples(0.1)


class Cast:
    """In the place of the process: a second of ones a line, `slow` questions late."""

    def __init__(self, slow: int = 0, length_s: float = 1.0) -> None:
        self.asked: list[tuple[str, str, float]] = []
        self.slow, self.length_s, self.dies, self.fails = slow, length_s, 0, 0
        self.restarts, self.closed = 0, False
        self._patience = 0

    def ask(self, speaker: str, text: str, speed: float) -> None:
        self.asked.append((speaker, text, speed))
        self._patience = self.slow
        if self.dies:
            self.dies -= 1
            raise BrokenPipeError

    def answer(self, timeout_s: float = 0.0) -> np.ndarray | None:
        if self._patience > 0:
            self._patience -= 1
            return None
        if self.fails:
            self.fails -= 1
            raise VoicelaneError("it cannot be said")
        return np.ones(samples(self.length_s), np.float32)

    def restart(self) -> None:
        self.restarts += 1

    def close(self) -> None:
        self.closed = True


class Ears:
    """Keeps what is played."""

    def __init__(self) -> None:
        self.played: list[tuple[float, float]] = []
        self.length = 0

    def play(self, at: int, sound: np.ndarray) -> None:
        self.played.append((at / 16_000, len(sound) / 16_000))

    def end(self, length: int) -> None:
        self.length = length


def line(start_s: float, end_s: float, text: str = "Good morning.") -> Translated:
    return Translated(samples(end_s), samples(start_s), samples(end_s), text)


def heard(cast: Cast, seconds_: float, events: dict[float, object], patient: bool) -> tuple[Ears, list[str]]:
    """So much of a stream, with events at their times."""
    ears, told = Ears(), list[str]()
    interpreter = Interpreter(cast, [ears], told.append, patient)
    for at in range(0, samples(seconds_), BLOCK):
        for when in [w for w in events if at <= samples(w) < at + BLOCK]:
            interpreter.put(events[when])
        interpreter.hear(Sound(at, np.zeros(BLOCK, np.float32)))
    interpreter.close()
    return ears, told


TALK = {
    1.0: turn("S1", 0.0, 2.0),
    1.2: SpeakerIdentified(0, "S1", "Anna", 0.8),
    2.1: line(0.2, 2.0, "Good morning."),
    5.0: turn("S2", 3.0, 5.0),
    5.1: line(3.1, 4.9, "And to you."),
    6.0: line(7.0, 7.5, "Who said that?"),
    6.1: line(7.5, 7.6, " … "),
}


def test_each_line_is_said_by_whoever_said_it_once_it_is_over():
    cast = Cast()
    ears, told = heard(cast, 10.0, TALK, patient=True)
    assert [(who, text) for who, text, _ in cast.asked] == [
        ("Anna", "Good morning."),
        ("S2", "And to you."),
        ("unknown", "Who said that?"),
    ]
    assert [at for at, _ in ears.played] == [2.0, 4.9, 7.5] and ears.length == samples(10.0)
    assert told == [] and cast.closed


def test_live_it_is_said_as_soon_as_it_is_there_and_never_over_itself():
    ears, _ = heard(Cast(slow=5, length_s=2.0), 10.0, TALK, patient=False)
    ends = [at + length for at, length in ears.played]
    assert all(at > end_s for (at, _), end_s in zip(ears.played, (2.0, 4.9), strict=False))
    assert all(end <= at + 1e-9 for end, (at, _) in zip(ends, ears.played[1:], strict=False))


def test_speech_that_falls_behind_is_hurried_then_left_out_and_both_are_told():
    cast = Cast(length_s=5.0)
    events = {k * 0.5 + 1.0: line(k * 0.5, k * 0.5 + 0.4, f"line {k}") for k in range(40)}
    _, told = heard(cast, 30.0, events, patient=False)
    assert any("s behind" in sentence for sentence in told)
    assert any("not spoken" in sentence for sentence in told)
    assert 4 < len(cast.asked) < 12 and cast.asked[0][2] == 1.0 and cast.asked[-1][2] == HURRY
    patient = Cast(length_s=5.0)
    _, told = heard(patient, 30.0, events, patient=True)
    assert len(patient.asked) == 40 and told == [], "a file waits for all of it"


def test_a_process_that_dies_is_started_again_and_given_up_at_last():
    cast = Cast()
    cast.dies = 1
    ears, told = heard(cast, 10.0, TALK, patient=True)
    assert told == [STARTED_AGAIN] and cast.restarts == 1 and len(ears.played) == 2
    cast = Cast()
    cast.dies = 99
    ears, told = heard(cast, 10.0, TALK, patient=True)
    assert told[:3] == [STARTED_AGAIN, STARTED_AGAIN, GIVEN_UP] and ears.length == samples(10.0)


def test_a_line_that_cannot_be_said_is_told_and_the_next_is_said():
    cast = Cast()
    cast.fails = 1
    ears, told = heard(cast, 10.0, TALK, patient=True)
    assert told == ["it cannot be said"] and len(ears.played) == 2


def test_the_file_is_as_long_as_the_stream_and_has_speech_at_its_times(tmp_path):
    file = SpeechFile(tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == [], "nothing before there is something"
    file.play(8_000, np.full(8_000, 0.5, np.float32))
    file.play(24_000, np.full(8_000, 0.5, np.float32))
    file.end(48_000)
    sound, rate = sf.read(tmp_path / "a.wav", dtype="float32")
    assert (rate, len(sound)) == (16_000, 48_000)
    assert "translation" in sf.SoundFile(tmp_path / "a.wav").comment
    loud = np.abs(sound) > 0.1
    assert loud[9_000:15_000].mean() > 0.9 < loud[25_000:31_000].mean() and not loud[17_000:23_000].any()


def test_the_loudspeaker_plays_piece_after_piece(monkeypatch):
    class Stream:
        def __init__(self, **options: object) -> None:
            """Takes anything."""

        start = close = lambda self: None

    monkeypatch.setattr("sounddevice.OutputStream", Stream)
    monkeypatch.setattr("voicelane.audio.loudspeaker._rate", lambda library: 16_000)
    speaker, out = Loudspeaker(), np.full((100, 1), 9.0, np.float32)
    speaker.play(np.full(60, 0.5, np.float32))
    speaker.play(np.full(60, 0.25, np.float32))
    speaker.fill(out)
    assert np.allclose(out[:60, 0], 0.5) and np.allclose(out[60:, 0], 0.25) and not speaker.silent
    speaker.fill(out)
    assert np.allclose(out[:20, 0], 0.25) and not out[20:].any() and speaker.silent


def test_speech_that_cannot_be_written_is_refused_before_anything_is_heard(talk_file, tmp_path, capsys):
    assert voicelane("run", talk_file, "--speak-out", talk_file) == 2
    assert "must be different files" in capsys.readouterr().err
    assert voicelane("run", talk_file, "--speak-out", tmp_path / "a.txt") == 2
    assert "sound is written as" in capsys.readouterr().err
    assert voicelane("run", talk_file, "--keep-voice") == 2
    assert "--keep-voice is of speech" in capsys.readouterr().err


def test_people_speak_in_their_own_voice_where_they_consented_and_others_in_nobodys(
    enrolment_sound, monkeypatch
):
    enroller, store, told = Enroller(), ProfileStore(), list[str]()
    for name, sound in zip(("Anna", "Ben"), enrolment_sound.values(), strict=False):
        store.add(name, enroller.space, [enroller.listen(ArraySource(sound)).recording])
    store.set_consent("Anna", True)
    own = casting.own_voices(["Anna", "Ben", "S3"], store, PipelineConfig(), told.append)
    assert list(own) == ["Anna"] and ["Ben" in told[0], "S3" in told[1]] == [True, True]
    monkeypatch.setattr(casting, "Speaker", lambda engine, voice, fitter: voice)
    monkeypatch.setattr(
        casting, "reach_of", lambda engine, fitter: SimpleNamespace(own=own["Anna"].embedding)
    )
    cast = casting.Cast(None, PipelineConfig(), own)
    anna, ben, third = (cast.speaker(name) for name in ("Anna", "Ben", "S3"))
    assert anna is own["Anna"] and (ben.kind, third.kind) == ("pseudo", "pseudo")
    assert cast.speaker("Ben") is ben and float(ben.embedding @ third.embedding) < 0.5


@pytest.mark.slow
def test_a_file_is_spoken_in_english_while_it_is_heard(tmp_path, capsys):
    pytest.importorskip("faster_whisper")
    from tests.words.test_translation import foreign_speech

    talk, out = wav(tmp_path / "vortrag.wav", foreign_speech()), tmp_path / "english.wav"
    assert voicelane("run", talk, "--captions", base_model(), "--language", "es", "--speak-out", out) == 0
    assert "in English:" in capsys.readouterr().out
    sound, _ = sf.read(out, dtype="float32")
    original = len(sf.read(talk)[0])
    assert len(sound) >= original and not np.abs(sound[: samples(1.0)]).max() > 0.01
    assert np.abs(sound).max() > 0.05 and heard_mark([sound]).score > 3.0
