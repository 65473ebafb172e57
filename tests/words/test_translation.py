"""Captions in English as well: one run of the encoder, two decodings, both lines."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("faster_whisper")
from tests.cli.test_main import voicelane, wav
from tests.words.models import base_model, english_model
from voicelane import open_session
from voicelane.base import samples
from voicelane.base.errors import ModelError
from voicelane.events import SpeakerTurn, Translated, Word, event_from_dict
from voicelane.words import Recogniser, Transcript, Translation, written
from voicelane.words.lines import Line, with_translations
from voicelane.words.pieces import speaker_pieces
from voicelane.words.store import Recognised, read_words, write_words

SENTENCE = "The train to London leaves early, so we have to be quick today."
WORDS = tuple(
    Word(16_000 * i, 16_000 * i + 8_000, f" {w}", 0.9)
    for i, w in enumerate(["guten", "Tag", "wie", "geht's"])
)
TURNS = (
    SpeakerTurn(0, "Anna", 0, 30_000, 30_000, 1.0, True),
    SpeakerTurn(0, "Ben", 30_000, 64_000, 64_000, 1.0, True),
)
TRANSCRIPT = Transcript(
    "talk",
    WORDS,
    TURNS,
    "de",
    "base",
    translations=(Translation(0, 24_000, "good <day>"), Translation(32_000, 60_000, "how are you")),
)


def foreign_speech() -> np.ndarray:
    """English that the model is told to be Spanish: it writes Spanish, and English for it."""
    pytest.importorskip("hibari")
    from voicelane.bench.scripted import spoken

    return np.pad(spoken(SENTENCE, 1.0), samples(0.5))


@pytest.mark.slow
def test_the_encoder_runs_once_and_both_decoders_read_its_states():
    recogniser, calls = Recogniser(base_model(), "es"), []
    decode = recogniser._decode

    def watched(states, language, task="transcribe"):
        calls.append((id(states.value), task))
        return decode(states, language, task)

    recogniser._decode = watched
    heard = recogniser.hear(foreign_speech(), translate=True)
    assert recogniser.n_encoded == 1
    assert [task for _, task in calls] == ["transcribe", "translate"] and len(
        {states for states, _ in calls}
    ) == 1
    assert heard.words and "train to London" in heard.translation
    assert Recogniser(base_model(), "es").hear(foreign_speech()).translation == ""


@pytest.mark.slow
def test_a_model_of_one_language_says_that_it_cannot(tmp_path, talk_file, capsys):
    with pytest.raises(ModelError, match="cannot translate"):
        Recogniser(english_model()).hear(np.zeros(16_000, np.float32), translate=True)
    assert voicelane("captions", talk_file, "--captions-model", english_model(), "--translate") == 2
    assert "cannot translate" in capsys.readouterr().err


@pytest.mark.slow
def test_a_file_has_both_lines(tmp_path, capsys):
    talk = wav(tmp_path / "talk.wav", foreign_speech())
    options = ("--captions-model", base_model(), "--language", "es", "--translate", "--session", "talk")
    assert voicelane("captions", talk, *options, "--out", tmp_path / "talk.srt") == 0
    found = read_words(open_session("talk").folder)
    assert found is not None and found.translations
    lines = (tmp_path / "talk.srt").read_text().splitlines()
    assert lines[3] == found.translations[0].text and lines[2].removeprefix("unknown: ") != lines[3]


def test_translate_without_captions_is_told(talk_file, capsys):
    assert voicelane("run", talk_file, "--translate") == 2
    assert "--translate is of captions" in capsys.readouterr().err


@pytest.mark.parametrize("format_", ["txt", "srt", "vtt", "ass", "json", "md"])
def test_both_lines_are_in_every_format(format_):
    text = written(TRANSCRIPT, format_).decode()
    assert text.index("guten") < text.index("how are you")
    assert "good" in text and ("<day>" not in text or format_ in ("txt", "json", "ass"))
    assert ("Anna" in text) and ("Ben" in text)


def test_the_document_has_both_lines():
    docx = pytest.importorskip("docx")
    import io

    page = docx.Document(io.BytesIO(written(TRANSCRIPT, "docx")))
    assert {"good <day>", "how are you"} <= {p.text for p in page.paragraphs}


def test_a_transcript_without_translation_is_as_it_was():
    plain = Transcript("talk", WORDS, TURNS, "de", "base")
    assert written(plain, "srt").decode().count("\n\n") == written(plain, "srt").decode().count("-->")
    assert "good" not in written(plain, "txt").decode()


def test_words_of_no_piece_keep_their_line():
    rows = with_translations(
        [Line("Anna", WORDS[:2]), Line("Ben", WORDS[2:])], [(0, 24_000, "good day")], TURNS
    )
    assert [(r.speaker, r.text, r.translation) for r in rows] == [
        ("Anna", "guten Tag", "good day"),
        ("Ben", "wie geht's", ""),
    ]


def test_pieces_are_of_one_speaker_and_never_too_long():
    turns = [
        SpeakerTurn(0, w, a, b, b, 1.0, True)
        for w, a, b in [("a", 0, 100), ("a", 200, 300), ("b", 250, 600), ("a", 700, 800)]
    ]
    spans = speaker_pieces(turns, 1_000)
    assert [s for s, _ in spans] == sorted(s for s, _ in spans) and len(spans) == 3
    long = [
        SpeakerTurn(0, "a", samples(9.0 * i), samples(9.0 * i + 8.5), samples(9.0), 1.0, True)
        for i in range(8)
    ]
    assert max(b - a for a, b in speaker_pieces(long, samples(80.0))) <= samples(28.0)


def test_translations_are_kept_with_the_words_and_old_files_are_read(tmp_path):
    kept = Recognised(WORDS, "de", "base", translations=TRANSCRIPT.translations)
    write_words(tmp_path, kept)
    assert read_words(tmp_path) == kept
    content = json.loads((tmp_path / "words.json").read_text())
    del content["translations"]
    (tmp_path / "words.json").write_text(json.dumps(content))
    assert read_words(tmp_path) == Recognised(WORDS, "de", "base")


def test_the_event_goes_through_the_log():
    event = Translated(80_000, 0, 64_000, "how are you")
    assert event_from_dict(event.as_dict()) == event
