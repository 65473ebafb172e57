"""Who the unnamed speakers of a session may be: enrolled people, and those of other sessions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.cli.test_main import voicelane
from tests.conftest import DEMO
from tests.profiles.test_store import SPACE
from tests.sessions.test_session import hand_made
from voicelane import Recorder, SpeakerTurn, open_session, read_rttm
from voicelane.base import samples
from voicelane.live import Sound
from voicelane.sessions import relabel_session, session_folder
from voicelane.voices.kin import Kin, Known, suggested

EDGES_S = (0.0, 38.5, 77.0)
LABELS = ("S1", "S2", "S3")


def part_of_the_demo(name: str, start_s: float, end_s: float, order: tuple[str, ...]) -> None:
    """A session with the turns of the reference, whose people are called in that order."""
    sound = sf.read(DEMO, dtype="float32")[0][samples(start_s) : samples(end_s)]
    turns = [t for t in read_rttm(DEMO.with_suffix(".rttm")) if start_s <= t.start and t.end <= end_s]
    called = dict(zip(sorted({t.speaker for t in read_rttm(DEMO.with_suffix(".rttm"))}), order, strict=True))
    recorder = Recorder(session_folder(name), "array", SPACE)
    recorder.hear(Sound(0, sound))
    for t in turns:
        start, end = samples(t.start - start_s), samples(t.end - start_s)
        recorder.put(SpeakerTurn(end, called[t.speaker], start, end, end, 1.0, True))
    recorder.close()


@pytest.fixture
def two_sessions(home: Path) -> Iterator[None]:
    part_of_the_demo("monday", *EDGES_S[:2], LABELS)
    part_of_the_demo("tuesday", *EDGES_S[1:], ("S3", "S1", "S2"))
    return


def test_people_of_another_session_are_found_again_under_their_labels(two_sessions, home, capsys):
    assert voicelane("sessions", "suggest", "tuesday") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines, "nobody was found again"
    right = {"S3 sounds like S1 in monday", "S1 sounds like S2 in monday", "S2 sounds like S3 in monday"}
    firsts = {line.split()[0]: line for line in reversed(lines)}
    assert set(firsts.values()) <= right and len(firsts) >= 2


def test_a_name_that_was_given_is_suggested_with_its_session(two_sessions, home, capsys):
    relabel_session(open_session("monday"), "S1", "Zoë")
    voicelane("sessions", "suggest", "tuesday")
    assert "S3 sounds like Zoë in monday" in capsys.readouterr().out
    relabel_session(open_session("tuesday"), "S3", "Zoë")
    voicelane("sessions", "suggest", "tuesday")
    assert "Zoë" not in capsys.readouterr().out


def test_an_enrolled_person_is_suggested(two_sessions, home, enrolment_sound, tmp_path, capsys):
    who = sorted(enrolment_sound)[0]
    sf.write(tmp_path / "anna.wav", enrolment_sound[who], 16_000)
    assert voicelane("enrol", "Anna", tmp_path / "anna.wav") == 0
    voicelane("sessions", "remove", "monday")
    assert voicelane("sessions", "suggest", "tuesday") == 0
    assert "S3 sounds like Anna\n" in capsys.readouterr().out


def test_what_was_heard_is_kept_until_somebody_corrects_the_session(two_sessions, home, monkeypatch):
    from voicelane.profiles import ProfileStore
    from voicelane.voices import kin

    heard: list[str] = []
    listen = kin.Kin._heard
    monkeypatch.setattr(kin.Kin, "_heard", lambda self, s: heard.append(s.name) or listen(self, s))
    found = Kin(ProfileStore(home / "people.db"))
    first = found.suggestions("tuesday")
    assert sorted(heard) == ["monday", "tuesday"] and found.suggestions("tuesday") == first
    assert sorted(heard) == ["monday", "tuesday"]
    relabel_session(open_session("monday"), "S1", "Zoë")
    found.suggestions("tuesday")
    assert sorted(heard) == ["monday", "monday", "tuesday"]


def test_a_disk_that_takes_nothing_costs_time_alone(two_sessions, home, monkeypatch, capsys):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("voicelane.sessions.voices.write_private", full)
    assert voicelane("sessions", "suggest", "tuesday") == 0
    found = capsys.readouterr()
    assert "sounds like" in found.out and "not compared" not in found.err


def test_a_session_without_sound_is_left_out_and_said(two_sessions, home, capsys):
    (session_folder("monday") / "audio.flac").unlink()
    assert voicelane("sessions", "suggest", "tuesday") == 1
    found = capsys.readouterr()
    assert "not compared: " in found.err and "monday" in found.err and "nobody else sounds like" in found.out


def test_too_little_speech_is_compared_with_nobody(home, capsys):
    hand_made("short", list(LABELS))
    part_of_the_demo("monday", *EDGES_S[:2], LABELS)
    assert voicelane("sessions", "suggest", "short") == 1


def test_of_two_likely_names_none_is_suggested(home):
    """A person of two names, as likely, is nobody; far apart, the likelier is."""
    from voicelane.config import EncoderConfig
    from voicelane.stages import load_encoder, load_scale

    scale = load_scale(EncoderConfig(), load_encoder(EncoderConfig()))
    voice = np.eye(scale.dim)[0]
    unnamed = [Known("S1", "now", voice, 10.0)]
    twins = [Known(name, "", voice, 10.0) for name in ("Anna", "Berta")]
    assert not suggested(unnamed, twins, scale, 2.0)
    apart = [twins[0], Known("Berta", "", -voice, 10.0)]
    assert [s.name for s in suggested(unnamed, apart, scale, 2.0)] == ["Anna"]
