"""A transcript as other programs read it, whatever people are called and whatever they say."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest

from tests.words.test_alignment import said, turn
from voicelane.base import samples
from voicelane.words import Transcript, paragraphs, subtitles, written

HOSTILE = "<b>{\\an8} --> Zoë, the\u2028#1|*"
TALK = Transcript(
    "weekly meeting",
    (*said("Good morning everybody.", 1.0), *said("Hello <i>you</i> there --> now", 3.0), *said("what", 9.0)),
    (turn("Ann", 0.9, 2.0), turn("Bob", 2.9, 4.6)),
    "en",
    "base",
    "2026-11-27T10:00:00+00:00",
    12.0,
)


def text(format_: str, found: Transcript = TALK) -> str:
    return written(found, format_).decode()


def test_paragraphs_say_when_and_who_and_mark_what_is_nobodys():
    assert text("txt").splitlines() == [
        "[00:00:01] Ann: Good morning everybody.",
        "[00:00:03] Bob: Hello <i>you</i> there --> now",
        "[00:00:09] unknown: what",
    ]


def test_subtitles_have_the_voice_and_no_markup_of_the_speakers():
    cues = text("vtt").split("\n\n")
    assert cues[0] == "WEBVTT" and len(cues) == 4
    assert cues[1] == "00:00:01.000 --> 00:00:01.900\n<v Ann>Good morning everybody.</v>"
    assert cues[2].splitlines()[1] == "<v Bob>Hello &lt;i&gt;you&lt;/i&gt; there → now</v>"
    assert text("srt").startswith("1\n00:00:01,000 --> 00:00:01,900\nAnn: Good morning everybody.\n\n2\n")
    rows = [row for row in text("ass").splitlines() if row.startswith("Dialogue: ")]
    assert rows[0] == "Dialogue: 0,0:00:01.00,0:00:01.90,Default,Ann,0,0,0,,Ann: Good morning everybody."


def test_tables_hold_every_word_with_its_time():
    assert text("ctm").splitlines()[0] == "weekly_meeting 1 1.000 0.300 Good 0.900"
    assert len(text("ctm").splitlines()) == len(TALK.words)
    assert text("stm").splitlines()[0] == "weekly_meeting 1 Ann 1.000 1.900 <o> Good morning everybody."
    content = json.loads(text("json"))
    assert [w["speaker"] for w in content["words"]] == ["Ann"] * 3 + ["Bob"] * 5 + [None]
    assert content["words"][0] == {
        "start_s": 1.0, "end_s": 1.3, "text": "Good", "confidence": 0.9, "speaker": "Ann"
    }  # fmt: skip
    assert content["turns"][0]["speaker"] == "Ann" and content["language"] == "en"


def test_minutes_sum_up_who_spoke_how_long():
    page = text("md")
    assert page.startswith("# weekly meeting\n\n2026-11-27 10:00 UTC, 0.2 minutes\n")
    assert "| Bob | 2 s | 61 % |\n| Ann | 1 s | 39 % |" in page
    docx = pytest.importorskip("docx")
    document = docx.Document(io.BytesIO(written(TALK, "docx")))
    cells = [cell.text for cell in document.tables[0].rows[1].cells]
    assert cells == ["Bob", "2 s", "61 %"]
    assert [p.text for p in document.paragraphs][2:] == [
        "Ann (00:00:01) Good morning everybody.",
        "Bob (00:00:03) Hello <i>you</i> there --> now",
        "unknown (00:00:09) what",
    ]


@pytest.mark.parametrize("format_", ["txt", "srt", "vtt", "ass", "json", "ctm", "stm", "md", "docx"])
def test_any_name_and_no_words_at_all_are_written(format_):
    if format_ == "docx":
        pytest.importorskip("docx")
    named = Transcript(HOSTILE, TALK.words, (turn(HOSTILE, 0.9, 5.0),), "en")
    content = written(named, format_)
    assert content and written(Transcript("empty", (), ()), format_) is not None
    if format_ == "docx":
        assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    elif format_ != "json":
        assert "\u2028" not in content.decode()
    if format_ in ("srt", "vtt"):
        times = re.findall(r"^\d.* --> \d.*$", content.decode(), re.MULTILINE)
        assert content.decode().count("-->") == len(times) > 1


def test_a_subtitle_is_no_longer_than_can_be_read():
    words = said("one two three four five six seven eight nine ten " * 6, 0.0, 0.25)
    turns = [turn("Ann", 0, 60)]
    assert len(paragraphs(words, turns)) == 1
    rows = subtitles(words, turns)
    assert [w for row in rows for w in row.words] == words
    assert all(len(row.text) <= 84 and row.end - row.start <= samples(6.0) for row in rows)
