"""`voicelane captions`, `run --captions`, `batch --captions` as a user meets them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_main import voicelane, wav
from tests.conftest import ROOT
from tests.profiles.test_privacy import OFFLINE

pytest.importorskip("faster_whisper")
pytest.importorskip("hibari")
from tests.words.models import english_model
from voicelane import open_session
from voicelane.bench.scripted import Scripted, conversation
from voicelane.words import normalised


@pytest.fixture(scope="module")
def talk() -> Scripted:
    return conversation(2, 4, np.random.default_rng(3), overlap=0.0)


@pytest.fixture
def talk_wav(talk, tmp_path) -> Path:
    return wav(tmp_path / "board meeting.wav", talk.sound)


def share_understood(talk: Scripted, text: str) -> float:
    """Of the words that are said, those that are in a text."""
    said = [word for sentence in talk.said for word in normalised(sentence.text)]
    heard = set(normalised(text))
    return sum(word in heard for word in said) / len(said)


@pytest.mark.slow
def test_a_file_becomes_subtitles_and_a_session(talk, talk_wav, tmp_path, capsys):
    out = tmp_path / "talk.vtt"
    model = english_model()
    options = ("--captions-model", model, "--session", "talk")
    assert voicelane("captions", talk_wav, *options, "--out", out) == 0
    assert share_understood(talk, out.read_text()) > 0.85
    assert re.search(r"<v S\d>", out.read_text())
    assert (open_session("talk").folder / "words.json").is_file()

    capsys.readouterr()
    assert voicelane("sessions", "relabel", "talk", "S1", "Zoë") == 0
    assert voicelane("sessions", "export", "talk", "--format", "srt") == 0
    assert "\nZoë: " in capsys.readouterr().out
    assert voicelane("captions", "talk", "--captions-model", model, "--format", "stm") == 0
    assert capsys.readouterr().out.startswith("talk 1 ")


@pytest.mark.slow
def test_run_tells_final_words_and_records_them(talk, talk_wav, tmp_path, capsys):
    lines = tmp_path / "talk.jsonl"
    options = ("--captions", english_model(), "--jsonl", lines, "--session", "talk")
    assert voicelane("run", talk_wav, *options) == 0
    events = [json.loads(line) for line in lines.read_text().splitlines()]
    captions = [e for e in events if e["event"] == "Caption" and e["final"]]
    assert share_understood(talk, " ".join(w["text"] for c in captions for w in c["words"])) > 0.85
    assert not [e for e in events if e["event"] in ("CaptionsBehind", "CaptionsRemark", "EventsDropped")]
    shown = capsys.readouterr().out
    assert re.search(r"^ +\d+:\d\d\.\d\d  S\d: .*\w", shown, re.MULTILINE)
    assert voicelane("sessions", "export", "talk", "--format", "txt") == 0
    assert share_understood(talk, capsys.readouterr().out) > 0.85


@pytest.mark.slow
def test_a_folder_of_recordings_has_captions_too(talk, talk_wav, tmp_path):
    out = tmp_path / "results"
    options = ("--out", out, "--jobs", 1, "--captions", english_model())
    assert voicelane("batch", talk_wav.parent, *options) == 0
    assert share_understood(talk, (out / "board meeting.txt").read_text()) > 0.85
    assert (out / "board meeting.srt").read_text().startswith("1\n00:00:0")
    assert json.loads((out / "board meeting.words.json").read_text())["words"]
    before = (out / "board meeting.srt").stat().st_mtime_ns
    assert voicelane("batch", talk_wav.parent, *options) == 0
    assert (out / "board meeting.srt").stat().st_mtime_ns == before


@pytest.mark.slow
def test_captions_of_a_model_folder_open_no_socket(talk, tmp_path, home):
    sound = wav(tmp_path / "talk.wav", talk.sound[:80_000])
    commands = [
        f"captions {sound} --captions-model {english_model()} --session talk",
        f"run {sound} --captions {english_model()}",
    ]
    ran = subprocess.run(
        [sys.executable, "-c", OFFLINE, "|".join(commands)], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0 and "FORBIDDEN" not in ran.stderr, ran.stderr


@pytest.mark.parametrize("command", [("captions",), ("run",), ("batch",)])
def test_a_missing_model_is_one_sentence_before_anything_is_heard(command, talk_wav, tmp_path, capsys):
    sound = talk_wav.parent if command == ("batch",) else talk_wav
    option = "--captions-model" if command == ("captions",) else "--captions"
    out = ("--out", tmp_path / "out") if command == ("batch",) else ()
    assert voicelane(*command, sound, *out, option, tmp_path / "nowhere") == 2
    shown = capsys.readouterr()
    assert "there is no such folder with a Whisper model" in shown.err and len(shown.err.splitlines()) == 1


def test_options_that_cannot_be(talk_wav, tmp_path, capsys):
    for options, sentence in {
        ("captions", talk_wav, "--out", tmp_path / "a.xyz"): "there is no format 'xyz'",
        ("captions", talk_wav, "--format", "docx"): "docx is no text; say with --out FILE.docx",
        ("captions", tmp_path / "nothing.wav"): "there is no such file, and no session of that name",
        ("run", talk_wav, "--language", "en"): "--language is of captions; add --captions",
    }.items():
        assert voicelane(*options) == 2
        assert sentence in capsys.readouterr().err
