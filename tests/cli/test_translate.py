"""`voicelane translate`: English speech and subtitles of a recording, whose voices follow the consents."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile as sf

pytest.importorskip("faster_whisper")
pytest.importorskip("hibari")
pytest.importorskip("pyworld")
from tests.cli.test_main import voicelane, wav
from tests.words.models import base_model, english_model
from tests.words.test_translation import foreign_speech
from voicelane.voices import heard_mark


@pytest.fixture
def talk(tmp_path) -> Path:
    return wav(tmp_path / "vortrag.wav", foreign_speech())


@pytest.mark.slow
def test_a_recording_is_spoken_in_english_with_subtitles(talk, tmp_path, capsys):
    out = tmp_path / "english.wav"
    options = ("--captions-model", base_model(), "--language", "es", "--out", out, "--keep-voice", "--under")
    assert voicelane("translate", talk, *options) == 0
    told = capsys.readouterr()
    assert "lines in English" in told.out and "voice that is nobody's" in told.err
    sound, rate = sf.read(out, dtype="float32")
    assert (
        rate == 16_000 and len(sound) >= len(sf.read(talk)[0]) and "translation" in sf.SoundFile(out).comment
    )
    assert heard_mark([sound]).score > 3.0
    assert "-->" in (tmp_path / "english.srt").read_text()


@pytest.mark.slow
def test_a_model_of_english_alone_writes_nothing(talk, tmp_path, capsys):
    out = tmp_path / "english.wav"
    assert voicelane("translate", talk, "--captions-model", english_model(), "--out", out) == 2
    assert "cannot translate" in capsys.readouterr().err
    assert not (tmp_path / "english.srt").exists() and not out.exists()


def test_the_output_must_be_sound_and_another_file(talk_file, tmp_path, capsys):
    assert voicelane("translate", talk_file, "--out", talk_file) == 2
    assert "must be different files" in capsys.readouterr().err
    assert voicelane("translate", talk_file, "--out", tmp_path / "english.srt") == 2
    assert "sound is written as" in capsys.readouterr().err
    assert voicelane("translate", tmp_path / "nothing.wav", "--out", tmp_path / "english.wav") == 2
    assert "no such file" in capsys.readouterr().err
