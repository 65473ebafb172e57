"""A transcript in the formats of other programs: text, subtitles, tables of words, minutes."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from voicelane.base.errors import VoicelaneError
from voicelane.base.text import one_line
from voicelane.base.timebase import seconds
from voicelane.sessions.exports import BRACES, clock, escaped
from voicelane.words.alignment import assign
from voicelane.words.lines import Line, paragraphs, subtitles, with_translations
from voicelane.words.store import Transcript

UNKNOWN = "unknown"
"""Who says what is spoken in nobody's turn."""
MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")
INDENTED, BELOW = "    {}\n", "{}\n"
"""How a line in English stands below what was said."""
ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: 1280
PlayResY: 720
WrapStyle: 0

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, Italic, BorderStyle, \
Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,42,&H00FFFFFF,&H00000000,&H80000000,0,0,1,2,0,2,60,60,40,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def who(line: Line) -> str:
    """The name of the one who says it."""
    return one_line(line.speaker) or UNKNOWN


def spoken(found: Transcript, split: Callable[..., list[Line]]) -> list[Line]:
    """Lines of a transcript as `split` makes them; what was translated is in the pieces that it was."""
    rows = split(found.words, found.turns)
    pieces = [(t.start, t.end, t.text) for t in found.translations]
    return with_translations(rows, pieces, found.turns) if pieces else rows


def _second(row: Line, form: str) -> str:
    """The line in English, where there is one."""
    return form.format(one_line(row.translation)) if row.translation else ""


def talk_time(found: Transcript) -> list[tuple[str, float, float]]:
    """Who spoke for how many seconds, and which share of all, the most talkative first."""
    spoken: dict[str, float] = {}
    for turn in found.turns:
        spoken[turn.speaker] = spoken.get(turn.speaker, 0.0) + seconds(turn.end - turn.start)
    total = sum(spoken.values())
    order = sorted(spoken.items(), key=lambda item: -item[1])
    return [(one_line(name), spoken_s, spoken_s / total if total else 0.0) for name, spoken_s in order]


def as_text(found: Transcript) -> str:
    """A paragraph a line: time, name, words."""
    return "".join(
        f"[{clock(row.start, '.')[:8]}] {who(row)}: {row.text}\n{_second(row, INDENTED)}"
        for row in spoken(found, paragraphs)
    )


def as_srt(found: Transcript) -> str:
    """SubRip subtitles, the name before the words."""
    return "".join(
        f"{number}\n{clock(row.start, ',')} --> {clock(row.end, ',')}\n"
        f"{_plain(f'{who(row)}: {row.text}').translate(BRACES)}\n"
        f"{_plain(_second(row, BELOW)).translate(BRACES)}\n"
        for number, row in enumerate(spoken(found, subtitles), 1)
    )


def as_vtt(found: Transcript) -> str:
    """WebVTT subtitles, whose voice is the name."""
    cues = [
        f"{clock(row.start, '.')} --> {clock(row.end, '.')}\n<v {_plain(who(row))}>{_plain(row.text)}</v>\n"
        f"{_plain(_second(row, BELOW))}"
        for row in spoken(found, subtitles)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def as_ass(found: Transcript) -> str:
    """Advanced SubStation subtitles; names are in a field of their own and in the text."""
    rows = [
        f"Dialogue: 0,{_centiseconds(row.start)},{_centiseconds(row.end)},Default,"
        f"{who(row).replace(',', ' ')},0,0,0,,{_ass(f'{who(row)}: {row.text}')}"
        f"{_ass_second(row)}\n"
        for row in spoken(found, subtitles)
    ]
    return ASS + "".join(rows)


def as_json(found: Transcript) -> str:
    """Everything: who spoke when, and every word with its time, confidence and speaker."""
    speakers = assign(found.words, found.turns)
    words = [
        {
            "start_s": round(seconds(word.start), 3),
            "end_s": round(seconds(word.end), 3),
            "text": word.text.strip(),
            "confidence": round(word.confidence, 3),
            "speaker": speaker or None,
        }
        for word, speaker in zip(found.words, speakers, strict=True)
    ]
    turns = [
        {"start_s": seconds(t.start), "end_s": seconds(t.end), "speaker": t.speaker} for t in found.turns
    ]
    content: dict[str, Any] = asdict(found) | {"turns": turns, "words": words}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def as_ctm(found: Transcript) -> str:
    """NIST CTM: file, channel, start, duration, word, confidence."""
    uri = _one_word(found.name)
    return "".join(
        f"{uri} 1 {seconds(word.start):.3f} {seconds(word.end - word.start):.3f} {_one_word(word.text)} "
        f"{word.confidence:.3f}\n"
        for word in found.words
        if word.text.strip()
    )


def as_stm(found: Transcript) -> str:
    """NIST STM: file, channel, speaker, start, end, label, words; a paragraph a record."""
    uri = _one_word(found.name)
    return "".join(
        f"{uri} 1 {_one_word(who(row))} {seconds(row.start):.3f} {seconds(row.end):.3f} <o> {row.text}\n"
        for row in paragraphs(found.words, found.turns)
    )


def as_markdown(found: Transcript) -> str:
    """Minutes: when, who spoke how long, and what was said."""
    table = [
        f"| {_markdown(name)} | {spoken_s:.0f} s | {100 * share:.0f} % |\n"
        for name, spoken_s, share in talk_time(found)
    ]
    said = [
        f"**{_markdown(who(row))}** ({clock(row.start, '.')[:8]}) {_markdown(row.text)}\n"
        f"{_markdown_second(row)}"
        for row in spoken(found, paragraphs)
    ]
    head = f"# {_markdown(found.name)}\n\n{_subject(found)}\n\n| Who | Spoke | Share |\n|---|---|---|\n"
    return head + "".join(table) + "\n" + "\n".join(said)


def as_docx(found: Transcript) -> bytes:
    """The same minutes as a document; raises `VoicelaneError` without python-docx."""
    try:
        import docx
    except ImportError:
        raise VoicelaneError(
            'DOCX needs python-docx; run `pip install "voicelane[words]"`, or write md instead'
        ) from None
    page = docx.Document()
    page.add_heading(_xml(found.name), 0)
    page.add_paragraph(_subject(found))
    _add_table(page, talk_time(found))
    for row in spoken(found, paragraphs):
        paragraph = page.add_paragraph()
        paragraph.add_run(_xml(who(row))).bold = True
        paragraph.add_run(f" ({clock(row.start, '.')[:8]}) {_xml(row.text)}")
        if row.translation:
            page.add_paragraph().add_run(_xml(row.translation)).italic = True
    content = io.BytesIO()
    page.save(content)
    return content.getvalue()


def _add_table(page: Any, rows: Sequence[tuple[str, float, float]]) -> None:
    """Who spoke how long."""
    cells = [(_xml(name), f"{spoken_s:.0f} s", f"{100 * share:.0f} %") for name, spoken_s, share in rows]
    table = page.add_table(rows=0, cols=3)
    for row in [("Who", "Spoke", "Share"), *cells]:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text


FORMATS: dict[str, Callable[[Transcript], str]] = {
    "txt": as_text,
    "srt": as_srt,
    "vtt": as_vtt,
    "ass": as_ass,
    "json": as_json,
    "ctm": as_ctm,
    "stm": as_stm,
    "md": as_markdown,
}
"""Formats of words that are text, by name; `docx` is none."""


def written(found: Transcript, format_: str) -> bytes:
    """A transcript as a file of one of `FORMATS`, or `docx`."""
    if format_ == "docx":
        return as_docx(found)
    return FORMATS[format_](found).encode("utf-8", "replace")


def _subject(found: Transcript) -> str:
    """When it was and how long, in a line."""
    begun = f"{found.started[:16].replace('T', ' ')} UTC, " if found.started else ""
    return f"{begun}{found.duration_s / 60:.1f} minutes"


def _plain(text: str) -> str:
    """For subtitles: no markup, and nothing that would end a cue."""
    return escaped(text.replace("-->", "→"))


def _ass_second(row: Line) -> str:
    """The line in English, below the other."""
    return f"\\N{_ass(one_line(row.translation))}" if row.translation else ""


def _markdown_second(row: Line) -> str:
    return f"\n> {_markdown(row.translation)}\n" if row.translation else ""


def _ass(text: str) -> str:
    return text.translate(BRACES).replace("\\", "/")


def _markdown(text: str) -> str:
    return MARKDOWN.sub(r"\\\1", one_line(text))


def _xml(text: str) -> str:
    """The text without what XML cannot hold."""
    return re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def _one_word(text: str) -> str:
    return "_".join(one_line(text).split()) or "stream"


def _centiseconds(sample: int) -> str:
    """H:MM:SS.cc"""
    hundredths = round(100 * seconds(sample))
    minutes, rest = divmod(hundredths, 6_000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 100:02d}.{rest % 100:02d}"
