"""What is on the screen, or lies in Sessions, as a file of another program."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from voicelane import Session
from voicelane.base import seconds, write_through
from voicelane.gui.model.conversation import Conversation
from voicelane.gui.model.language import later, tr
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.paper import as_pdf
from voicelane.gui.work.saving import save_as_session
from voicelane.sessions import TEXT_FORMATS, page_of, spoken, write_speakers
from voicelane.words import FORMATS as WORD_FORMATS
from voicelane.words import Transcript, paragraphs, transcript, words_of, written

FORMATS = later(
    {
        "html": "Summary as a page for browsers",
        "pdf": "Summary to be printed, PDF",
        "docx": "Minutes, DOCX",
        "md": "Minutes, Markdown",
        "txt": "Transcript, text",
        "rttm": "RTTM, for diarisation tools",
        "json": "JSON, everything",
        "csv": "CSV, for spreadsheets",
        "srt": "SRT subtitles",
        "vtt": "WebVTT subtitles",
        "audacity": "Labels for Audacity",
        "elan": "ELAN annotations",
        "textgrid": "TextGrid for Praat",
        "wav": "WAV, one file per speaker",
    }
)
ENDINGS = {"audacity": "txt", "elan": "eaf", "textgrid": "TextGrid"}
"""Of formats that are called otherwise than their files end."""
FOLDERS = {"wav"}
"""Formats that are written into a folder."""
OF_WORDS = {"docx", "md", "txt"}
"""What is made of words, and of turns alone where there are none."""


@dataclass(frozen=True)
class Paper:
    """What a summary is made of."""

    title: str
    started: str
    turns: list[tuple[str, int, int]]
    length: int
    said: list[tuple[str, int, str]]


def write(session: Session, kind: str, path: Path) -> Path:
    """Write a session in one of `FORMATS`; gives the path."""
    if kind == "wav":
        write_speakers(session, path)
    else:
        write_through(path, content(session, kind))
    return path


def content(session: Session, kind: str) -> bytes:
    """A session in a format that is one file; with its words, where it has some and the format holds them."""
    if kind == "html":
        paper = paper_of(session)
        about = session.about
        parts = (paper.title, paper.started, paper.turns, paper.length, paper.said)
        return page_of(*parts, about.tags, about.note).encode()
    if kind == "pdf":
        paper = paper_of(session)
        return as_pdf(paper.title, paper.started, paper.turns, paper.length, paper.said)
    words = words_of(session)
    if words is not None and (kind in WORD_FORMATS or kind in OF_WORDS):
        return written(transcript(session, words), kind)
    if kind in OF_WORDS:
        return written(_wordless(session), kind) if kind != "txt" else _turns_as_text(session).encode()
    return TEXT_FORMATS[kind](session).encode()


def paper_of(session: Session) -> Paper:
    """The summary of a session."""
    words = words_of(session)
    said = []
    if words is not None:
        found = transcript(session, words)
        lines = paragraphs(found.words, found.turns)
        said = [(line.speaker or tr("somebody"), line.start, line.text) for line in lines]
    return Paper(session.name, session.about.started, spoken(session), session.heard_samples(), said)


def export(
    conversation: Conversation,
    kind: str,
    path: Path,
    told: Callable[[str], None],
    failed: Callable[[str], None],
) -> None:
    """Write a conversation, recorded or not, away from the window, and tell where it lies."""
    session, heard, title = conversation.session, conversation.heard(), conversation.title

    def work() -> Path:
        if session is not None:
            return write(session, kind, path)
        with tempfile.TemporaryDirectory(prefix="voicelane-") as scratch:
            return write(save_as_session(Path(scratch) / (path.stem or "conversation"), heard), kind, path)

    def done(where: Path) -> None:
        told(tr("{name} is exported: {where}", name=title, where=where))

    Job(work, done, failed)


def _wordless(session: Session) -> Transcript:
    """Who spoke when, without words."""
    shown = session.labels.shown
    turns = tuple(replace(turn, speaker=shown(turn.speaker)) for turn in session.turns())
    length_s = seconds(session.heard_samples())
    return Transcript(session.name, (), turns, started=session.about.started, duration_s=length_s)


def _turns_as_text(session: Session) -> str:
    """A turn a line: seconds from and to, and the name."""
    rows = (f"{seconds(a):9.2f} – {seconds(b):9.2f} s  {name}\n" for name, a, b in spoken(session))
    return "".join(rows).encode("utf-8", "replace").decode("utf-8")
