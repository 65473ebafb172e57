"""A recorded session in the formats of other programs."""

from __future__ import annotations

import csv
import html
import io
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from voicelane.base.errors import StoreError
from voicelane.base.files import private_file, private_folder
from voicelane.base.text import file_name
from voicelane.base.timebase import SAMPLE_RATE, seconds
from voicelane.events import SpeakerTurn
from voicelane.live.sinks import rttm_line
from voicelane.sessions.page import as_html
from voicelane.sessions.session import Session
from voicelane.sessions.tiers import as_audacity, as_elan, as_textgrid

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
MOST_SPEAKERS = 250  # a process may have about a thousand files open
BRACES = str.maketrans("{}", "()")


def as_rttm(session: Session) -> str:
    """NIST RT-09 records, with the names shown last."""
    uri = "_".join(_unicode(session.name).split()) or "stream"
    return "".join(rttm_line(t, uri, session.labels.shown(t.speaker)) + "\n" for t in session.turns())


def as_json(session: Session) -> str:
    """What the session is, and its turns."""
    rows = [_row(session, turn) for turn in session.turns()]
    content = {"session": session.name, **asdict(session.about), "turns": rows}
    return _unicode(json.dumps(content, ensure_ascii=False, indent=1)) + "\n"


def as_csv(session: Session) -> str:
    """A table of turns; text that a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO()
    table = csv.DictWriter(file, ("start_s", "end_s", "speaker", "label", "confidence"))
    table.writeheader()
    for turn in session.turns():
        table.writerow({k: _harmless(v) for k, v in _row(session, turn).items()})
    return file.getvalue()


def as_srt(session: Session) -> str:
    """SubRip subtitles that say who speaks."""
    return "".join(
        f"{number}\n{clock(turn.start, ',')} --> {clock(turn.end, ',')}\n"
        f"{escaped(session.labels.shown(turn.speaker)).translate(BRACES)}\n\n"
        for number, turn in enumerate(session.turns(), 1)
    )


def as_vtt(session: Session) -> str:
    """WebVTT subtitles that say who speaks, as voice and as text."""
    cues = []
    for turn in session.turns():
        name = escaped(session.labels.shown(turn.speaker))
        gap = " " if name.endswith("-") else ""  # "-->" would end the cue
        cues.append(f"{clock(turn.start, '.')} --> {clock(turn.end, '.')}\n<v {name}{gap}>{name}</v>\n")
    return "\n".join(["WEBVTT\n", *cues])


TEXT_FORMATS: dict[str, Callable[[Session], str]] = {
    "audacity": as_audacity,
    "elan": as_elan,
    "textgrid": as_textgrid,
    "html": as_html,
    "rttm": as_rttm,
    "json": as_json,
    "csv": as_csv,
    "srt": as_srt,
    "vtt": as_vtt,
}
"""Formats that are text, by name."""


def write_speakers(session: Session, folder: Path, clean: bool = False) -> list[Path]:
    """One WAV file per name, each as long as the session, silent where others speak; if `clean`, with less
    noise."""
    import soundfile

    spans: dict[str, list[tuple[int, int]]] = {}
    for turn in session.turns():
        spans.setdefault(session.labels.shown(turn.speaker), []).append((turn.start, turn.end))
    if len(spans) > MOST_SPEAKERS:
        raise StoreError(f"{session.name}: {len(spans)} speakers are too many for a file each")
    private_folder(folder)
    paths = _paths(folder, sorted(spans))
    with ExitStack() as open_files:
        files: dict[str, Any] = {}
        for name, path in paths.items():
            file = open_files.enter_context(private_file(path))
            sound = soundfile.SoundFile(
                file.fileno(), "w", SAMPLE_RATE, 1, "PCM_16", format="WAV", closefd=False
            )
            files[name] = open_files.enter_context(sound)
        at = 0
        for block in session.clean_sound() if clean else session.sound():
            for name, sound in files.items():
                sound.write(_only(block, at, spans[name]))
            at += len(block)
    return list(paths.values())


def _only(block: np.ndarray, at: int, spans: list[tuple[int, int]]) -> np.ndarray:
    """The block, which begins at sample `at`, with zeros outside the spans, which are in order of time."""
    kept = np.zeros_like(block)
    first_span = bisect_right(spans, at, key=lambda span: span[1])
    behind = bisect_left(spans, at + len(block), key=lambda span: span[0])
    for start, end in spans[first_span:behind]:
        first, last = max(0, start - at), max(0, end - at)
        kept[first:last] = block[first:last]
    return kept


def _paths(folder: Path, names: list[str]) -> dict[str, Path]:
    """A file for each name; those that look the same to a file system get a number."""
    paths: dict[str, Path] = {}
    for name in names:
        stem, number = file_name(name), 1
        while any(p.stem.casefold() == stem.casefold() for p in paths.values()):
            number += 1
            stem = f"{file_name(name)}-{number}"
        paths[name] = folder / f"{stem}.wav"
    return paths


def _row(session: Session, turn: SpeakerTurn) -> dict[str, Any]:
    return {
        "start_s": round(seconds(turn.start), 3),
        "end_s": round(seconds(turn.end), 3),
        "speaker": session.labels.shown(turn.speaker),
        "label": turn.speaker,
        "confidence": round(turn.confidence, 3),
    }


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _unicode(text: str) -> str:
    """The text without what UTF-8 cannot hold, as names of files may have it."""
    return text.encode("utf-8", "replace").decode("utf-8")


def escaped(name: str) -> str:
    return html.escape(name, quote=False)


def clock(sample: int, point: str) -> str:
    """HH:MM:SS and milliseconds behind `point`."""
    milliseconds = round(1000 * seconds(sample))
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"
