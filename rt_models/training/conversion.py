"""Training of the network that says in one voice what was said in another, without transcripts: it gives an
utterance back from its content and the voice of its speaker.

The content is heard with formants moved and bent by chance, so that it does not tell whose it is; the voice
is mostly that of another utterance of the speaker. It says utterances in the voices of others, too, of about
their pitch, and the speaker encoder tells how like these it came out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from voicelane import SAMPLE_RATE, PipelineConfig
from voicelane.config import EncoderConfig
from voicelane.rt_models.nets.conversion import ConversionConfig, ConversionNet
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.caches import digest, keep
from voicelane.rt_models.training.checkpoint import Run, begin_with
from voicelane.rt_models.training.cleaning import range_db
from voicelane.rt_models.training.corpus import Prepared
from voicelane.rt_models.training.data import AudioCache, draw_speeds
from voicelane.rt_models.training.listener import Listener
from voicelane.rt_models.training.shards import Shard, build_shard
from voicelane.voices import Fitter, bands, pitch_input, world

DEPTH = 16.0
"""Nepers below the loudest band of an utterance, to which its bands are heard."""
QUIET_WEIGHT = 0.05
"""How much a frame counts that is no speech."""
NEIGHBOURS = 100
"""Utterances of higher, and of lower, pitch whose voices others are given."""


@dataclass(frozen=True)
class SpeechConfig:
    """Which recordings are trained on."""

    hours: float = 3.2
    seconds: tuple[float, float] = (2.5, 5.0)
    """Shorter recordings are left out, longer ones cut."""
    each: int = 2
    """Recordings of a speaker; who has fewer is left out."""
    clean_db: float = 36.0
    """Least range between the loud and the still frames."""
    wide_db: float = -40.0
    """Least level from 5.5 to 7.5 kHz against that below 4 kHz."""


@dataclass(frozen=True)
class ConversionTrainConfig:
    """One training run."""

    net: ConversionConfig = field(default_factory=ConversionConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    frames: int = 280
    """Of 5 ms that are given back of an utterance."""
    warp: float = 0.25
    """Nepers by which the formants of what is heard are moved, at most."""
    bend: float = 0.15
    """The same of how far low ones are moved further than high ones."""
    own: float = 0.3
    """Share of utterances that are given back in the voice of themselves, not of another one."""
    likeness: float = 1.0
    """How much the distance (1 − cosine) to the voices of others counts, beside the distance in nepers."""
    steps: int = 3000
    batch: int = 12
    learning_rate: float = 1.5e-3
    seed: int = 0


class Spoken(NamedTuple):
    """Utterances one after the other, in frames of 5 ms."""

    bands: np.ndarray
    """Log power, float16 (n, 64)."""
    pitch_hz: np.ndarray
    """float32 (n,), 0 where nothing is voiced."""
    bounds: np.ndarray
    """Frames at which utterances begin, and the last one ends, int64 (k + 1,)."""
    speakers: np.ndarray
    """int64 (k,)"""
    rows: np.ndarray
    """Which recordings of the corpus they are, int64 (k,)."""


class Batch(NamedTuple):
    """What the network is given and what it should give, (B, …) each."""

    bands: Tensor
    pitch: Tensor
    voice: Tensor
    shape: Tensor
    weight: Tensor
    columns: Tensor
    """What the encoder hears of it, log-mel (B, T / 2, 80)."""
    other: Tensor
    """The voice of somebody else."""


def heard(cache: AudioCache, config: SpeechConfig, work: Path) -> Spoken:
    """The recordings that are trained on, analysed once and kept in the work folder."""
    path = work / f"spoken_{digest(asdict(config))[:12]}.npz"

    def make() -> None:
        rows = chosen(cache, config, np.random.default_rng(0))
        names = [cache.utterances[i].speaker for i in rows]
        found = [analysed(_cut(cache, i, config)) for i in tqdm(rows, desc="WORLD", disable=None)]
        levels, pitch_hz = (np.concatenate(part) for part in zip(*found, strict=True))
        bounds = np.cumsum([0, *(len(hz) for _, hz in found)])
        whose = np.unique(names, return_inverse=True)[1]
        np.savez(path, bands=levels, pitch_hz=pitch_hz, bounds=bounds, speakers=whose, rows=np.array(rows))

    keep(path, {"corpus": cache.sha256, "speech": asdict(config)}, make)
    with np.load(path, allow_pickle=False) as kept:
        return Spoken(*(kept[name] for name in Spoken._fields))


def chosen(cache: AudioCache, config: SpeechConfig, rng: np.random.Generator) -> list[int]:
    """Rows of clean, wide-band recordings of so many hours, speaker by speaker."""
    own: dict[str, list[int]] = {}
    for i, utterance in enumerate(cache.utterances):
        if not utterance.speaker.startswith("unknown:"):
            own.setdefault(utterance.speaker, []).append(i)
    rows, left_s, people = list[int](), 3600 * config.hours, sorted(own)
    for k in rng.permutation(len(people)).tolist():
        tried = rng.permutation(own[people[k]]).tolist() if left_s > 0 else []
        fit = list(islice((i for i in tried if is_fit(cache.audio(i), config)), config.each))
        if len(fit) == config.each:
            rows += fit
            left_s -= sum(len(_cut(cache, i, config)) for i in fit) / SAMPLE_RATE
    return rows


def is_fit(samples: np.ndarray, config: SpeechConfig) -> bool:
    """Whether a recording is long enough, clean, and has high frequencies."""
    long_enough = len(samples) >= config.seconds[0] * SAMPLE_RATE
    return long_enough and range_db(samples) >= config.clean_db and wide_db(samples) >= config.wide_db


def wide_db(samples: np.ndarray) -> float:
    """Level of the loudest tenth of frames from 5.5 to 7.5 kHz over that from 0.1 to 4 kHz, dB."""
    frames = samples[: len(samples) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    high, low = (np.percentile(power[:, a:b].mean(axis=1), 90) for a, b in ((176, 240), (3, 128)))
    return float(10 * np.log10((high + 1e-12) / (low + 1e-12)))


def _cut(cache: AudioCache, row: int, config: SpeechConfig) -> np.ndarray:
    return cache.audio(row)[: int(config.seconds[1] * SAMPLE_RATE)]


def analysed(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bands float16 (n, 64) and pitch in Hz float32 (n,) of a recording, n even."""
    x = samples.astype(np.float64)
    pitch_hz, at_s = world.pitch(x)
    levels = bands.bands_of(world.envelope(x, pitch_hz, at_s))
    even = len(levels) // 2 * 2
    return np.maximum(levels, levels.max() - DEPTH)[:even].astype(np.float16), pitch_hz[:even].astype(
        np.float32
    )


def voices_of(
    cache: AudioCache, spoken: Spoken, config: SpeechConfig, encoder: str, work: Path
) -> np.ndarray:
    """Unit vectors float32 (k, dim) of the utterances, by an encoder; kept in the work folder."""
    fitter = Fitter(PipelineConfig(encoder=EncoderConfig(model=encoder)))
    path = work / f"spoken_voices_{fitter.encoder_id[:12]}.npy"

    def make() -> None:
        rows = tqdm(spoken.rows.tolist(), desc="voices", disable=None)
        np.save(path, np.stack([fitter.embed(_cut(cache, i, config)) for i in rows]))

    settings = {"corpus": cache.sha256, "speech": asdict(config), "encoder": fitter.encoder_id}
    keep(path, settings, make)
    return np.asarray(np.load(path))


def drawing(config: ConversionTrainConfig, data: Prepared, encoder: str) -> Drawing:
    """What draws from a corpus, told of voices by an encoder."""
    utterances = heard(data.cache, config.speech, data.work)
    voices = voices_of(data.cache, utterances, config.speech, encoder, data.work)
    path, speeds = data.work / "clean_0.f16", draw_speeds(len(data.cache), 0)
    return Drawing(utterances, voices, build_shard(data.cache, None, speeds, 0, path), config)


class Drawing:
    """Draws batches of utterances; every draw comes from the Generator given."""

    def __init__(
        self, spoken: Spoken, voices: np.ndarray, shard: Shard, config: ConversionTrainConfig
    ) -> None:
        self._spoken, self._voices, self._shard, self._config = spoken, voices, shard, config
        wanted = config.frames + 2 * config.net.around_frames
        self._long = np.flatnonzero(np.diff(spoken.bounds) > wanted)
        self._whose = {s: np.flatnonzero(spoken.speakers == s) for s in np.unique(spoken.speakers).tolist()}
        self._by_pitch = np.argsort([_mean_pitch(spoken, row) for row in range(len(spoken.rows))])
        self._rank = np.argsort(self._by_pitch)

    def batch(self, rng: np.random.Generator) -> Batch:
        """So many utterances as the settings say."""
        rows = rng.choice(self._long, self._config.batch)
        found = [self._drawn(int(row), rng) for row in rows]
        return Batch(*(torch.from_numpy(np.stack(part)) for part in zip(*found, strict=True)))

    def _drawn(self, row: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """What a `Batch` holds, of a part of an utterance."""
        c, whole = self._config, slice(*self._spoken.bounds[row : row + 2])
        levels, pitch_hz = self._spoken.bands[whole].astype(np.float32), self._spoken.pitch_hz[whole]
        around, size = c.net.around_frames, c.frames + 2 * c.net.around_frames
        start = 2 * int(rng.integers((len(levels) - size) // 2))
        outer, inner = slice(start, start + size), slice(start + around, start + around + c.frames)
        moved = levels @ moving(rng.uniform(-c.warp, c.warp), rng.uniform(-c.bend, c.bend))
        weight = np.where(bands.spoken(levels)[inner], 1.0, QUIET_WEIGHT).astype(np.float32)
        heard = bands.told(moved, bands.usual(moved))[outer]
        first = inner.start // 2
        columns = self._shard.columns(int(self._spoken.rows[row]))[first : first + c.frames // 2]
        voices = self._voice(row, rng), self._other(row, rng)
        return (
            heard,
            pitched(pitch_hz[outer]),
            voices[0],
            shaped(levels[inner]),
            weight,
            columns.astype(np.float32),
            voices[1],
        )

    def _voice(self, row: int, rng: np.random.Generator) -> np.ndarray:
        """The voice of an utterance, or of another one of its speaker."""
        others = self._whose[int(self._spoken.speakers[row])]
        others = others[others != row]
        own = rng.random() < self._config.own or not len(others)
        return np.asarray(self._voices[row if own else int(rng.choice(others))])

    def _other(self, row: int, rng: np.random.Generator) -> np.ndarray:
        """The voice of one of those whose pitch is nearest."""
        rank = int(self._rank[row]) + int(rng.integers(-NEIGHBOURS, NEIGHBOURS + 1))
        return np.asarray(self._voices[self._by_pitch[rank % len(self._by_pitch)]])


def _mean_pitch(spoken: Spoken, row: int) -> float:
    """Octaves, −1 where nothing is voiced."""
    hz = spoken.pitch_hz[slice(*spoken.bounds[row : row + 2])]
    return float(np.log2(hz[hz > 0]).mean()) if (hz > 0).any() else -1.0


def moving(warp: float, bend: float) -> np.ndarray:
    """What moves the formants of bands (n, 64), float32 (64, 64): by e^warp, and low ones by e^bend more."""
    middles_hz = bands.middles_hz()
    source_hz = middles_hz * np.exp(-warp - bend * np.cos(2 * np.pi * middles_hz / SAMPLE_RATE))
    return bands.shares(bands.place_of(source_hz)).astype(np.float32)


def pitched(pitch_hz: np.ndarray) -> np.ndarray:
    """What the network is told of a pitch (n,), float32 (n, 2)."""
    return pitch_input(np.where(pitch_hz > 0, pitch_hz, np.nan))


def shaped(levels: np.ndarray) -> np.ndarray:
    """Bands (n, 64) around each frame's mean."""
    return levels - levels.mean(axis=1, keepdims=True)


def train(
    config: ConversionTrainConfig,
    draw: Drawing,
    listener: Listener,
    checkpoint: Path | None = None,
    start: Path | None = None,
    stop_after: int | None = None,
) -> ConversionNet:
    """By `loop.train`; `start` is the checkpoint of another run whose weights this one begins with."""
    torch.manual_seed(config.seed)
    net = ConversionNet(config.net)
    usual_shape(net, draw)
    begin_with(net, start)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.02)
    schedule = loop.Schedule(config.steps, config.learning_rate, warm_up=100, floor=0.01, seed=config.seed)

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        batch = draw.batch(rng)
        near, like = tried(net, listener, batch)
        parts = {"nepers": float(near.detach()), "likeness": float(like.detach())}
        return loop.Outcome(near + config.likeness * (1 - like), parts, config.batch * config.frames / 200)

    run = Run(net, optimiser, asdict(config), checkpoint)
    return loop.train(run, schedule, lesson, stop_after=stop_after)


def tried(net: ConversionNet, listener: Listener, batch: Batch) -> tuple[Tensor, Tensor]:
    """How far the utterances given back are from what they were, in nepers; the mean cosine of those in the
    voices of others to these."""
    with torch.autocast("cpu", torch.bfloat16):
        content = net.content(batch.bands)
        given = net.spoken(content, batch.pitch, batch.voice)
        told = net.spoken(content, batch.pitch, batch.other)
        heard = listener.altered(batch.columns, batch.shape[:, ::2], told[:, ::2])
        voices = listener(heard)
    return distance(given.float(), batch), (voices.float() * batch.other).sum(dim=1).mean()


def usual_shape(net: ConversionNet, draw: Drawing) -> None:
    """Mean and deviation of the shapes of speech, which the network knows from the beginning."""
    batches = [draw.batch(np.random.default_rng(k)) for k in range(8)]
    shapes = torch.cat([b.shape[b.weight == 1.0] for b in batches])
    net.mean.copy_(shapes.mean(dim=0))
    net.deviation.copy_(shapes.std(dim=0))


def distance(given: Tensor, batch: Batch) -> Tensor:
    """Mean absolute difference in nepers, of speech above all."""
    off = (given - batch.shape).abs().mean(dim=2)
    return (off * batch.weight).sum() / batch.weight.sum()
