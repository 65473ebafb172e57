"""Anonymised sessions: the same turns, other voices, and no trace of who it was."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("pyworld")
from tests.cli.test_main import voicelane, wav
from tests.voices.toys import draw
from voicelane import ArraySource, Session, listen, open_session, read_rttm
from voicelane.base.errors import AudioError, StoreError
from voicelane.events import Word
from voicelane.sessions.session import relabel_session
from voicelane.voices import Fitter, anonymise, heard_mark
from voicelane.voices.anonymise import most_apart
from voicelane.words.store import Recognised, words_of, write_words


@pytest.fixture(scope="module")
def fitter() -> Fitter:
    return Fitter()


@pytest.fixture(scope="module")
def session(speech, tmp_path_factory) -> Session:
    """The first twenty seconds of the conversation, recorded; its first speaker has a name."""
    folder = tmp_path_factory.mktemp("sessions") / "Interview with Anna"
    with listen(ArraySource(speech), record=folder) as listener:
        listener.wait()
    found = open_session(str(folder))
    found = relabel_session(found, found.turns()[0].speaker, "Anna")
    write_words(folder, Recognised((Word(8_000, 12_000, " hello", 0.9),), "en", "toy"))
    return found


@pytest.fixture(scope="module")
def masked(session, fitter, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "masked"
    anonymise(session, folder, draw, np.random.default_rng(1), fitter)
    return folder


def sound_of(session: Session) -> np.ndarray:
    return np.concatenate([*session.sound()])


def test_turns_and_length_stay_and_names_go(session, masked):
    found = open_session(str(masked))
    before, after = session.turns(), found.turns()
    assert [(t.start, t.end) for t in before] == [(t.start, t.end) for t in after]
    partners = {(a.speaker, b.speaker) for a, b in zip(before, after, strict=True)}
    assert len(partners) == len({a for a, _ in partners}) == len({b for _, b in partners}) > 1
    assert found.finished and len(sound_of(found)) == len(sound_of(session))
    assert words_of(found) == words_of(session)
    content = b"".join(path.read_bytes() for path in masked.iterdir())
    assert b"Anna" not in content and b"VoiceMeasured" not in content


def test_no_voice_is_the_one_it_was_and_each_stays_one_voice(session, masked, fitter):
    before, after = sound_of(session), sound_of(open_session(str(masked)))
    for turn in session.turns():
        if turn.end - turn.start > 24_000:
            old, new = (fitter.embed(sound[turn.start : turn.end]) for sound in (before, after))
            assert float(old @ new) < 0.45


def test_the_sound_carries_the_mark_and_says_what_it_is(masked):
    assert heard_mark(open_session(str(masked)).sound()).found
    assert "synthetic" in sf.SoundFile(masked / "audio.flac").comment


def test_voices_of_two_runs_are_not_the_same(session, masked, fitter, tmp_path):
    anonymise(session, tmp_path / "again", draw, np.random.default_rng(2), fitter)
    first, second = (sound_of(open_session(str(f))) for f in (masked, tmp_path / "again"))
    assert np.abs(first - second).max() > 0.05


def test_kept_names_are_shown_and_muted_overlaps_are_silent_and_listed(speech, session, fitter, tmp_path):
    from voicelane.events import SpeakerTurn
    from voicelane.sessions.event_log import append_events

    length = len(speech)
    a = session.turns()[0]
    b = next(t for t in session.turns() if t.speaker != a.speaker)
    extra = SpeakerTurn(length, b.speaker, a.start + 8_000, a.start + 16_000, a.start + 16_000, 1.0, True)
    folder = tmp_path / "overlapping"
    folder.mkdir()
    for path in session.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    about = json.loads((folder / "session.json").read_text())
    append_events(folder, [extra])
    (folder / "session.json").write_text(json.dumps(about))
    found = anonymise(
        open_session(str(folder)), tmp_path / "out", draw, np.random.default_rng(1), fitter, True, True
    )
    masked = open_session(str(tmp_path / "out"))
    assert "Anna" in {masked.labels.shown(t.speaker) for t in masked.turns()}
    assert any(p.start == a.start + 8_000 and p.end == a.start + 16_000 for p in found.overlaps)
    rows = list(csv.DictReader((tmp_path / "out" / "overlaps.csv").open()))
    assert len(rows) == len(found.overlaps) and {r["done"] for r in rows} == {"muted"}
    quiet = sound_of(masked)[a.start + 9_600 : a.start + 15_000]
    assert np.abs(quiet).max() < 0.01


def test_nothing_is_left_of_what_fails(session, fitter, tmp_path):
    def broken(sample: int) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        anonymise(session, tmp_path / "out", draw, np.random.default_rng(1), fitter, progress=broken)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="something already"):
        anonymise(session, tmp_path / "out", draw, np.random.default_rng(1), fitter)


def test_the_chosen_voice_is_the_least_like_the_others():
    voices = draw(5, np.random.default_rng(0))
    assert most_apart(voices, [v.embedding for v in voices[:4]]) is voices[4]


def test_the_command_makes_a_session_and_detect_hears_it(talk_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert voicelane("anonymise", talk_file, "--out", out, "--seed", 1) == 0
    assert "voices that are nobody's" in capsys.readouterr().out
    assert read_rttm(out / "turns.rttm")
    assert voicelane("sessions", "export", out, "--format", "csv") == 0
    assert "talk" not in capsys.readouterr().out
    assert voicelane("detect", out / "audio.flac") == 0 and "made or changed" in capsys.readouterr().out
    assert voicelane("detect", talk_file, out / "audio.flac") == 1
    assert (
        voicelane("anonymise", talk_file, "--out", out) == 2
        and "something already" in capsys.readouterr().err
    )


def test_sound_without_speech_is_told_and_leaves_nothing(tmp_path, capsys, rng):
    hiss = wav(tmp_path / "hiss.wav", 0.001 * rng.standard_normal(48_000).astype(np.float32))
    assert voicelane("anonymise", hiss, "--out", tmp_path / "out") == 2
    assert "nobody was heard" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_nobody_alone_is_an_error(session, fitter, tmp_path, monkeypatch):
    monkeypatch.setattr(Fitter, "reach", lambda self, sound: (_ for _ in ()).throw(AudioError("short")))
    with pytest.raises(AudioError, match="long enough alone"):
        anonymise(session, tmp_path / "out", draw, np.random.default_rng(1), fitter)
