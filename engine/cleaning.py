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
FADE_S, MUTED = 0.03, 0.1
BLOCK_S = 0.5
Span = tuple[float, float]


def clean_file(
    source: PullSource,
    out: Path,
    config: DenoiserConfig,
    person: Person | None = None,
    turns: Sequence[Turn] = (),
    replace: bool = False,
    progress: Callable[[float], object] = lambda heard_s: None,
) -> None:
    """The sound of `source`, cleaned, into a .wav or .flac of the same rate, channels and length.

    With a person, everybody else is turned down as well, as far as the strength of the settings goes, and
    further where the `turns` say that somebody else speaks alone. `out` appears when all of it is written;
    `progress` is told the seconds so far. Raises `ConfigError` for an `out` that is none, or that is there
    already unless `replace`, `AudioError` for the source, `ModelError` for the model.
    """
    check_out(out, replace)
    if source.channels > MOST_CHANNELS:
        raise ConfigError(
            f"{source.name}: has {source.channels} channels, {MOST_CHANNELS} are the most; split it first"
        )
    blocks = cleaned(source, config, person)
    if person is not None:
        blocks = muted(blocks, source.rate, others(turns, person.name), config.strength)
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


def muted(
    blocks: Iterator[np.ndarray], rate: int, spans: Sequence[Span], strength: float
) -> Iterator[np.ndarray]:
    """What is inside the spans (in seconds, in order, apart) made softer: by 20 dB at strength 1."""
    spans = [(start, end) for start, end in spans if end - start > 2 * FADE_S]
    edges = np.array([edge for start, end in spans for edge in (start, start + FADE_S, end - FADE_S, end)])
    softer = 1.0 - strength * (1.0 - MUTED)
    gains, at = np.tile([1.0, softer, softer, 1.0], len(spans)), 0
    for block in blocks:
        times_s = (at + np.arange(len(block))) / rate
        yield block * np.interp(times_s, edges, gains).astype(np.float32)[:, None] if spans else block
        at += len(block)


def others(turns: Sequence[Turn], name: str) -> list[Span]:
    """When somebody else speaks and a person does not; never, where the person was not recognised."""
    own = merged([turn for turn in turns if turn.speaker == name])
    left = merged([turn for turn in turns if turn.speaker != name]) if own else []
    for start, end in own:
        parts = (part for a, b in left for part in ((a, min(b, start)), (max(a, end), b)))
        left = [(a, b) for a, b in parts if a < b]
    return left


def merged(turns: Sequence[Turn]) -> list[Span]:
    """Their times in order, those as one that touch."""
    found: list[Span] = []
    for turn in sorted(turns, key=lambda t: t.start):
        if found and turn.start <= found[-1][1]:
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
    progress: Callable[[float], object],
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
