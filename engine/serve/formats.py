"""A result in the formats that clients ask for; pure functions of what a clerk found out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from voicelane.base.timebase import samples
from voicelane.events import SpeakerTurn
from voicelane.live.sinks import rttm_line
from voicelane.sessions.exports import clock, escaped

JSON, TEXT = "application/json", "text/plain; charset=utf-8"
Result = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """A result as it is sent."""

    content: str
    media_type: str


def as_json(result: Result) -> Rendered:
    """Everything."""
    return Rendered(json.dumps(result, ensure_ascii=False), JSON)


def as_rttm(result: Result) -> Rendered:
    """NIST RT-09 records."""
    lines = [rttm_line(_turn(row), "recording", row["name"]) + "\n" for row in result["turns"]]
    return Rendered("".join(lines), TEXT)


def as_text(result: Result) -> Rendered:
    """The words alone."""
    return Rendered(_text(result) + "\n", TEXT)


def as_openai(result: Result) -> Rendered:
    """OpenAI's `json`."""
    return Rendered(json.dumps({"text": _text(result)}, ensure_ascii=False), JSON)


def as_verbose(result: Result) -> Rendered:
    """OpenAI's `verbose_json`."""
    segments = [{"id": i, **_times(s), "text": s["text"]} for i, s in enumerate(segments_of(result))]
    words = [{"word": w["text"].strip(), **_times(w)} for w in result["words"]]
    content = {"task": "transcribe", "language": result["language"], "duration": result["duration_s"]}
    content |= {"text": _text(result), "segments": segments, "words": words}
    return Rendered(json.dumps(content, ensure_ascii=False), JSON)


def as_diarized(result: Result) -> Rendered:
    """OpenAI's `diarized_json`: who said what; without words who spoke when, with empty texts."""
    segments = [
        {
            "id": f"seg_{number:03d}",
            "type": "transcript.text.segment",
            **_times(segment),
            "speaker": segment["speaker"],
            "text": segment["text"],
        }
        for number, segment in enumerate(segments_of(result), 1)
    ]
    content = {"task": "transcribe", "duration": result["duration_s"], "text": _text(result)}
    usage = {"type": "duration", "seconds": round(result["duration_s"])}
    return Rendered(json.dumps({**content, "segments": segments, "usage": usage}, ensure_ascii=False), JSON)


def as_srt(result: Result) -> Rendered:
    """SubRip, the name before the words."""
    return Rendered("".join(_cues(result, ",", "{name}: {text}", numbered=True)), TEXT)


def as_vtt(result: Result) -> Rendered:
    """WebVTT, whose voice is the name."""
    return Rendered("WEBVTT\n\n" + "".join(_cues(result, ".", "<v {name}>{text}</v>")), TEXT)


DIARIZATION: dict[str, Callable[[Result], Rendered]] = {"json": as_json, "rttm": as_rttm}
"""Formats of who spoke when."""
TRANSCRIPTION: dict[str, Callable[[Result], Rendered]] = {
    "json": as_openai,
    "text": as_text,
    "srt": as_srt,
    "vtt": as_vtt,
    "verbose_json": as_verbose,
    "diarized_json": as_diarized,
}
"""Formats of who said what, by OpenAI's names."""


def segments_of(result: Result) -> list[Result]:
    """What one speaker says without a break; without words the turns."""
    if not result.get("words"):
        return [{**turn, "speaker": turn["name"], "text": ""} for turn in result["turns"]]
    found = []
    for speaker, group in groupby(result["words"], key=lambda word: word["speaker"]):
        words = list(group)
        text = "".join(word["text"] for word in words).strip()
        end_s = max(word["end_s"] for word in words)
        row = {"speaker": speaker or "unknown", "start_s": words[0]["start_s"], "end_s": end_s}
        found.append({**row, "text": text})
    return found


def _cues(result: Result, point: str, form: str, numbered: bool = False) -> Iterator[str]:
    for number, segment in enumerate(segments_of(result), 1):
        start, end = (clock(samples(segment[key]), point) for key in ("start_s", "end_s"))
        name, text = escaped(segment["speaker"]), escaped(segment["text"].replace("-->", "→"))
        head = f"{number}\n" if numbered else ""
        yield f"{head}{start} --> {end}\n{form.format(name=name, text=text)}\n\n"


def _times(row: Result) -> dict[str, float]:
    return {"start": row["start_s"], "end": row["end_s"]}


def _text(result: Result) -> str:
    return " ".join("".join(word["text"] for word in result.get("words", ())).split())


def _turn(row: Result) -> SpeakerTurn:
    start, end = samples(row["start_s"]), samples(row["end_s"])
    return SpeakerTurn(end, row["speaker"], start, end, end, row["confidence"], True)
