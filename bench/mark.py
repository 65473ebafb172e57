"""The mark in synthetic speech: how often it is heard, also after codecs and at other rates, and where there
is none; how loud it is."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import SAMPLE_RATE
from voicelane.audio import Resampler
from voicelane.base import samples
from voicelane.bench.options import CORPUS, add_command
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.sound import read_mono
from voicelane.voices import Mark, evidence, marked

Sound = np.ndarray
Change = Callable[[Sound], Sound]


def add(commands: Any) -> None:
    """The `mark` command."""
    add = add_command(
        commands, "mark", measure, "how surely the mark of synthetic speech is heard"
    ).add_argument
    add("--corpus", type=Path, default=CORPUS, help="folder with manifest.tsv, of which `dev` is taken")
    add("--pieces", type=int, default=60, help="of speech that get the mark")
    add("--unmarked", type=int, default=400, help="pieces without it")
    add("--seconds", type=float, default=10.0, help="length of a piece")


def coded(sound: Sound, container: str, codec: str, kbit_s: int) -> Sound:
    """Through a codec of libav and back, at 16 kHz."""
    file = BytesIO()
    _encode(file, sound, container, codec, kbit_s)
    file.seek(0)
    return _decoded(file)


def _encode(file: BytesIO, sound: Sound, container: str, codec: str, kbit_s: int) -> None:
    import av

    with av.open(file, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=SAMPLE_RATE if codec != "libopus" else 48_000)
        stream.bit_rate, stream.layout = 1_000 * kbit_s, "mono"
        resampler = av.AudioResampler(stream.format.name, "mono", stream.rate)
        frame = av.AudioFrame.from_ndarray(np.clip(sound, -1, 1).astype(np.float32)[None], "fltp", "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, 0
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))


def _decoded(file: BytesIO) -> Sound:
    import av

    with av.open(file, "r") as there:
        back = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        parts = [p for f in there.decode(audio=0) for p in back.resample(f)] + back.resample(None)
    return np.concatenate([p.to_ndarray()[0] for p in parts]).astype(np.float32)


def at_8_khz(sound: Sound) -> Sound:
    """To the rate of a telephone and back."""
    halved = sound[: len(sound) // 2 * 2]
    spectrum = np.fft.rfft(halved)
    spectrum[len(spectrum) // 2 :] = 0.0
    return np.fft.irfft(spectrum, len(halved)).astype(np.float32)


def at_44_khz(sound: Sound) -> Sound:
    """To the rate of a compact disc and back."""
    there = np.interp(
        np.arange(round(len(sound) * 44_100 / SAMPLE_RATE)) * SAMPLE_RATE / 44_100,
        np.arange(len(sound)),
        sound,
    )
    resampler = Resampler(44_100)
    return np.concatenate((resampler.process(there.astype(np.float32)[:, None]), resampler.flush()))


def half(sound: Sound) -> Sound:
    """A part that begins anywhere."""
    return sound[len(sound) // 3 + 137 : len(sound) // 3 + 137 + len(sound) // 2]


CHANGES: dict[str, Change] = {
    "as it is": lambda sound: sound,
    "MP3, 32 kbit/s": partial(coded, container="mp3", codec="libmp3lame", kbit_s=32),
    "Opus, 16 kbit/s": partial(coded, container="ogg", codec="libopus", kbit_s=16),
    "8 kHz": at_8_khz,
    "44.1 kHz": at_44_khz,
    "half of it": half,
}


def pieces(args: argparse.Namespace) -> Iterator[Sound]:
    """Speech of the corpus that is not trained on, so many seconds each, without end."""
    lines = (args.corpus / "manifest.tsv").read_text(encoding="utf-8").splitlines()[1:]
    names = [row[0] for line in lines if (row := line.split("\t"))[1] == "dev"]
    kept, wanted = np.zeros(0, np.float32), samples(args.seconds)
    for i in np.random.default_rng(args.seed).permutation(len(names)).tolist():
        kept = np.concatenate((kept, read_mono(args.corpus / names[i])))
        if len(kept) >= wanted:
            yield kept[:wanted]
            kept = np.zeros(0, np.float32)


def measure(args: argparse.Namespace) -> Result:
    """Percent of the pieces in which the mark is heard, and what it scores."""
    speech = pieces(args)
    scores: dict[str, list[float]] = {name: [] for name in CHANGES}
    louder = []
    for _, sound in zip(range(args.pieces), speech, strict=False):
        with_mark = marked(sound)
        louder.append(10 * np.log10(np.square(sound).sum() / np.square(with_mark - sound).sum()))
        for name, change in CHANGES.items():
            scores[name].append(evidence(change(with_mark)))
    chance = [evidence(sound) for _, sound in zip(range(args.unmarked), speech, strict=False)]
    content = {
        "seconds": args.seconds,
        "speech_over_mark_db": round(float(np.mean(louder)), 1),
        "threshold": Mark.threshold,
        "marked": {name: _told(found) for name, found in scores.items()},
        "unmarked": _told(chance),
        "n_unmarked": len(chance),
    }
    return Result(content, tables(content))


def _told(scores: list[float]) -> dict[str, float]:
    heard = np.array(scores) >= Mark.threshold
    return {
        "heard": round(100 * float(heard.mean()), 2),
        "lowest": round(float(min(scores)), 2),
        "median": round(float(np.median(scores)), 2),
        "highest": round(float(max(scores)), 2),
    }


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    rows: list[list[Cell]] = [[name, *row.values()] for name, row in found["marked"].items()]
    rows.append(["no mark", *found["unmarked"].values()])
    notes = (
        f"from a score of {found['threshold']:g} on a mark is heard; pieces of {found['seconds']:g} s, "
        f"{found['n_unmarked']} of them without one",
        f"speech is {found['speech_over_mark_db']:.1f} dB over what the mark changes",
    )
    return (table(["speech", "heard %", "lowest score", "median", "highest"], rows, "", *notes),)
