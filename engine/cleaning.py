"""A recording with less noise, file to file, in memory that does not grow with its length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from voicelane.audio.fades import muted
from voicelane.audio.sources import PullSource
from voicelane.base.errors import ConfigError
from voicelane.base.files import written_through
from voicelane.config import DenoiserConfig
from voicelane.labels.scoring import Turn
from voicelane.labels.spans import others
from voicelane.stages.denoiser import FullBandDenoiser
from voicelane.stages.recogniser import Person

FORMATS = {".wav": "WAV", ".flac": "FLAC"}
MOST_CHANNELS = 8
LARGEST_WAV_BYTES = 4_000_000_000
BLOCK_S = 0.5


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
