"""A recording with less noise, file to file, in memory that does not grow with its length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from voicelane.audio.sources import PullSource
from voicelane.base.errors import ConfigError
from voicelane.base.files import written_through
from voicelane.config import DenoiserConfig
from voicelane.labels.scoring import Turn
from voicelane.stages.denoiser import FullBandDenoiser
from voicelane.stages.recogniser import Person

FORMATS = {".wav": "WAV", ".flac": "FLAC"}
MOST_CHANNELS = 8
LARGEST_WAV_BYTES = 4_000_000_000
FADE_S = 0.03
BLOCK_S = 0.5
Span = tuple[float, float]


def clean_file(
    source: PullSource,
    out: Path,
    config: DenoiserConfig,
    person: Person | None = None,
    replace: bool = False,
    progress: Callable[[float], None] = lambda heard_s: None,
) -> None:
    """The sound of `source`, cleaned, into a .wav or .flac of the same rate, channels and length.

    With a person, everybody else is turned down as well, as far as the strength of the settings goes. `out`
    appears when all of it is written; `progress` is told the seconds so far. Raises `ConfigError` for an
    `out` that is none, or that is there already unless `replace`, `AudioError` for the source, `ModelError`
    for the model.
    """
    check_out(out, replace)
    if source.channels > MOST_CHANNELS:
        raise ConfigError(
            f"{source.name}: has {source.channels} channels, {MOST_CHANNELS} are the most; split it first"
        )
    blocks = cleaned(source, config, person)
    with written_through(out) as file:
        _write(blocks, file, out, source, progress)


def cleaned(source: PullSource, config: DenoiserConfig, person: Person | None = None) -> Iterator[np.ndarray]:
    """Blocks float32 (n, channels) at the rate of the source, all of its samples."""
    denoiser = FullBandDenoiser(config, source.rate, source.channels, person)
    for block in gathered(source.blocks(), int(BLOCK_S * source.rate)):
        yield denoiser.process(block)
    yield denoiser.flush()


def gathered(blocks: Iterator[np.ndarray], least: int) -> Iterator[np.ndarray]:
    """The same sound in blocks of `least` samples and more, but the last one."""
    kept: list[np.ndarray] = []
    for block in blocks:
        kept.append(block)
        if sum(map(len, kept)) >= least:
            yield np.concatenate(kept)
            kept = []
    if kept:
        yield np.concatenate(kept)


def silenced(
    blocks: Iterator[np.ndarray], rate: int, spans: Sequence[Span], strength: float
) -> Iterator[np.ndarray]:
    """What is outside the spans (in seconds, in order, apart) made softer: silent at strength 1."""
    edges = np.array([edge for start, end in spans for edge in (start - FADE_S, start, end, end + FADE_S)])
    gains = np.tile([1.0 - strength, 1.0, 1.0, 1.0 - strength], len(spans))
    if not spans:
        edges, gains = np.zeros(1), np.full(1, 1.0 - strength)
    at = 0
    for block in blocks:
        times_s = (at + np.arange(len(block))) / rate
        yield block * np.interp(times_s, edges, gains).astype(np.float32)[:, None]
        at += len(block)


def merged(turns: Sequence[Turn]) -> list[Span]:
    """Their times in order, those as one between which no fade fits."""
    found: list[Span] = []
    for turn in sorted(turns, key=lambda t: t.start):
        if found and turn.start - found[-1][1] <= 2 * FADE_S:
            found[-1] = found[-1][0], max(found[-1][1], turn.end)
        else:
            found.append((turn.start, turn.end))
    return found


def check_out(out: Path, replace: bool) -> None:
    """Raise `ConfigError` unless a cleaned recording may be written there."""
    if out.suffix.lower() not in FORMATS:
        raise ConfigError(f"{out}: expected a name that ends in .wav or .flac")
    if out.exists() and not replace:
        raise ConfigError(f"{out}: is there already; choose another name, or say --force to replace it")


def _write(
    blocks: Iterator[np.ndarray],
    file: BinaryIO,
    out: Path,
    source: PullSource,
    progress: Callable[[float], None],
) -> None:
    import soundfile

    kind = _format(out, source)
    with soundfile.SoundFile(
        file.fileno(), "w", source.rate, source.channels, "PCM_16", format=kind, closefd=False
    ) as sound:
        for block in blocks:
            sound.write(np.clip(block, -1.0, 1.0))
            progress(sound.frames / source.rate)


def _format(out: Path, source: PullSource) -> str:
    """RF64 is the WAV of more than four gigabytes."""
    kind = FORMATS[out.suffix.lower()]
    n_bytes = (source.duration_s or 0.0) * source.rate * source.channels * 2
    return "RF64" if kind == "WAV" and n_bytes > LARGEST_WAV_BYTES else kind
