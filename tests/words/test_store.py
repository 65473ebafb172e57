"""Words of a session: beside its events or among them, and always with the names that it shows now."""

from __future__ import annotations

import json
import stat

import numpy as np
import pytest

from tests.cli.test_main import voicelane
from tests.profiles.test_store import SPACE
from tests.sessions.test_session import hand_made
from tests.words.test_alignment import said
from voicelane import Recorder, Session, open_session
from voicelane.base import StoreError, samples
from voicelane.events import Caption, SpeakerTurn, TurnRevised
from voicelane.live import Sound
from voicelane.sessions import relabel_session, remove_session, session_folder
from voicelane.words import Heard, Recognised, recognise_session, transcript, words_of, write_words, written

WORDS = Recognised(tuple([*said("Hello there.", 0.2), *said("good morning", 1.2)]), "en", "base")


@pytest.fixture
def session(home) -> Session:
    """Two people, a second each, with words."""
    found = hand_made("talk", ["S1", "S2"])
    write_words(found.folder, WORDS)
    return found


def text(name: str) -> str:
    session = open_session(name)
    return written(transcript(session, words_of(session)), "txt").decode()


def test_words_are_kept_as_they_were_and_only_for_their_owner(session):
    assert words_of(session) == WORDS
    path = session.folder / "words.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text("talk") == "[00:00:00] S1: Hello there.\n[00:00:01] S2: good morning\n"


def test_a_rename_changes_the_captions(session):
    relabel_session(session, "S1", "Zoë")
    assert text("talk").startswith("[00:00:00] Zoë: Hello there.\n")


def test_a_later_comparison_changes_the_captions(home):
    """The events hold what was said live; the engine then finds that S2 was S1."""
    recorder = Recorder(session_folder("talk"), "array", SPACE)
    for i, speaker in enumerate(("S1", "S2")):
        start, end = samples(float(i)), samples(i + 0.9)
        recorder.put(SpeakerTurn(end, speaker, start, end, end, 0.9, True))
        words = tuple(said("good morning", i + 0.2))
        recorder.put(Caption(end, speaker, words[0].start, words[-1].end, words[:1], False, "en"))
        recorder.put(Caption(end, speaker, words[0].start, words[-1].end, words, True, "en"))
    recorder.put(TurnRevised(samples(3.0), "S2", "S1", samples(1.0), samples(1.9)))
    recorder.close()
    assert words_of(open_session("talk")).language == "en"
    assert text("talk") == "[00:00:00] S1: good morning good morning\n"


def test_a_session_without_words_has_none(home):
    assert words_of(hand_made("talk", ["S1"])) is None


def test_words_go_with_the_session(session):
    remove_session("talk")
    assert not session.folder.exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "[" * 50_000,
        '{"words": [{"start": 5, "end": 1, "text": "a", "confidence": 0.5}]}',
        '{"words": [{"start": -5, "end": 1, "text": "a", "confidence": 0.5}]}',
        json.dumps({"words": [], "format": 2}),
    ],
)
def test_damaged_words_are_one_sentence(session, content):
    (session.folder / "words.json").write_text(content)
    with pytest.raises(StoreError, match=r"words\.json: is (damaged|of format 2, newer)") as problem:
        words_of(session)
    assert "\n" not in str(problem.value)


def test_a_link_is_no_file_of_a_session(session, tmp_path):
    (session.folder / "words.json").rename(tmp_path / "elsewhere.json")
    (session.folder / "words.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(StoreError, match="is no ordinary file"):
        open_session("talk")


def test_a_recording_is_recognised_piece_by_piece(home):
    class Scribe:
        def hear(self, sound, translate=False):
            return Heard(tuple(said("so it is", 0.0)), "en")

    recorder = Recorder(session_folder("long"), "array", SPACE)
    for at in range(0, samples(70.0), 16_000):
        recorder.hear(Sound(at, np.zeros(16_000, "f4")))
    recorder.put(SpeakerTurn(samples(69.0), "S1", 0, samples(69.0), samples(69.0), 0.9, True))
    recorder.close()
    told: list[int] = []
    found = recognise_session(open_session("long"), Scribe(), "base", told.append)
    starts = [w.start for w in found.words]
    assert len(starts) == 9 and starts == sorted(starts) and told[-1] == samples(70.0)
    assert starts[3] - starts[0] <= samples(28.0) and found.model == "base" and found.language == "en"


def test_export_has_the_words_where_there_are_any(session, capsys):
    for format_, part in {
        "srt": "S1: Hello there.",
        "vtt": "<v S2>good morning</v>",
        "json": '"text": "Hello"',
        "stm": "talk 1 S1 0.200",
        "rttm": "SPEAKER talk 1 0.062",
        "csv": "start_s,end_s",
    }.items():
        assert voicelane("sessions", "export", "talk", "--format", format_) == 0
        assert part in capsys.readouterr().out


def test_export_writes_minutes(session, tmp_path):
    pytest.importorskip("docx")
    assert voicelane("sessions", "export", "talk", "--format", "docx", "--out", tmp_path / "a.docx") == 0
    assert (tmp_path / "a.docx").read_bytes().startswith(b"PK")


def test_export_without_words_says_who_speaks_or_how_words_are_made(home, capsys):
    hand_made("mute", ["S1"])
    assert voicelane("sessions", "export", "mute", "--format", "vtt") == 0
    assert "<v S1>S1</v>" in capsys.readouterr().out
    assert voicelane("sessions", "export", "mute", "--format", "txt") == 2
    assert "mute has no words; `voicelane captions mute` makes them" in capsys.readouterr().err
