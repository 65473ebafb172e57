"""Training of the network that keeps one person's voice, on mixtures made beforehand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from voicelane.dsp import LEVEL_MIDDLE, LEVEL_SPREAD, band_levels, band_products
from voicelane.inference import Model
from voicelane.rt_models.nets.keeper import N_MELS, KeeperConfig, KeeperNet
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.averaged import Averaged
from voicelane.rt_models.training.batches import speech_mask
from voicelane.rt_models.training.caches import keep
from voicelane.rt_models.training.checkpoint import Run, begin_with
from voicelane.rt_models.training.cleaning import (
    MixtureSource,
    SoundConfig,
    active_power,
    range_db,
    response,
    spectra,
)
from voicelane.rt_models.training.corpus import Prepared
from voicelane.rt_models.training.data import AudioCache, draw_speeds
from voicelane.rt_models.training.shards import build_shard
from voicelane.stages import SpeakerEncoder

N_REFERENCES = 4
DB_PER_LEVEL = LEVEL_SPREAD * 10 / np.log(10)
LONGEST_COLUMNS = 600
"""Of a recording that its embedding is made of."""
POWER_FLOOR = 1e-8


@dataclass(frozen=True)
class KeeperTrainConfig:
    """One training run."""

    net: KeeperConfig = field(default_factory=KeeperConfig)
    sound: SoundConfig = field(
        default_factory=lambda: SoundConfig(seconds=4.0, clean_db=30.0, snr_db=(0.0, 40.0))
    )
    voices: tuple[float, ...] = (0.25, 0.55, 0.2)
    """Chances of 1, 2, 3 people in a mixture; whoever is kept is one of the first two, or somebody else."""
    voice_db: float = 8.0
    """How much louder or softer than the first the others are, at most."""
    parted: float = 0.5
    """Chance that somebody speaks in a part of the mixture alone."""
    mixtures: int = 16000
    """Made once."""
    pool: int = 200
    """Voices and noises that as many mixtures again are made of."""
    columns: int = 360
    """Of a crop."""
    steps: int = 9000
    batch: int = 16
    learning_rate: float = 2e-3
    absent: float = 0.15
    """Chance that the person is somebody who does not speak in the mixture."""
    anybody: float = 0.15
    """Chance that the embedding is left out."""
    colour_db: float = 6.0
    """By how much another microphone changes the level of a band, at most."""
    blur: float = 0.6
    """Length of the noise that is added to an embedding, at most."""
    compression: float = 0.3
    """Exponent of the power that an error of a band's gain is weighted by."""
    ratio_weight: float = 0.05
    """Of the error's share of the sound (nepers) in the loss."""
    average: float = 0.998
    """Of the weights from step to step: the mean is what is exported."""
    seed: int = 0


class Voice(NamedTuple):
    """What one person says, spectra float32 (T, 257, 2), its mean square, and other recordings of that
    person, by number (4,)."""

    spectra: np.ndarray
    loudness: float
    speaker: str
    references: np.ndarray


class Mixed(NamedTuple):
    """Of mixtures: levels of the noisy and the cleaned sound and gains that make the first and the second
    voice of the latter, float16 (n, 4, T, 80); recordings int32 (n, 2, 4) of these two, −1 for nobody."""

    bands: np.ndarray
    references: np.ndarray


class Crops(NamedTuple):
    """Levels of the noisy and the cleaned sound and the gain that is wanted (B, T, 80), person (B, dim)."""

    noisy: Tensor
    cleaned: Tensor
    gain: Tensor
    person: Tensor


def mixed(config: KeeperTrainConfig, data: Prepared, cleaner: Path) -> Mixed:
    """The mixtures of a run, each through the cleaner; kept in the work folder."""
    bands, whose = (data.work / f"keeper_{name}.npy" for name in ("bands", "references"))
    model, names = Model(cleaner), ("sound", "voices", "voice_db", "parted", "mixtures", "pool", "seed")
    origin = {name: asdict(config)[name] for name in names} | {"cleaner": model.manifest.sha256}

    def make() -> None:
        rows = Mixtures(config, data, model).rows()
        shown = tqdm(rows, total=config.mixtures, unit="mixture", disable=None)
        _write(shown, config.mixtures, bands, whose)

    keep(bands, {**data.origin, **origin}, make, whose)
    return Mixed(np.load(bands, mmap_mode="r"), np.load(whose))


def _write(rows: Iterable[tuple[np.ndarray, np.ndarray]], n: int, bands: Path, whose: Path) -> None:
    found, who = np.zeros(0), np.zeros((n, 2, N_REFERENCES), np.int32)
    for k, (row, references) in enumerate(rows):
        if not k:
            found = np.lib.format.open_memmap(bands, "w+", np.float16, (n, *row.shape))
        found[k], who[k] = row, references
    np.save(whose, who)


class Mixtures:
    """Draws people, noise and what the cleaner leaves of both."""

    def __init__(self, config: KeeperTrainConfig, data: Prepared, cleaner: Model) -> None:
        self._sound = MixtureSource(data.cache, data.rooms, data.noises, config.sound)
        self._config, self._cleaner = config, cleaner
        self._people = several(data.cache, config.sound.clean_db)

    def rows(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Bands (4, T, 80) and references (2, 4) of every mixture."""
        c = self._config
        for number in range(-(-c.mixtures // c.pool)):
            rng = np.random.default_rng((c.seed, number))
            voices = [self._voice(rng) for _ in range(c.pool)]
            noises = [spectra(self._sound.noise(rng)) for _ in range(c.pool)]
            for _ in range(min(c.pool, c.mixtures - number * c.pool)):
                yield self._row(self._cast(voices, rng), noises[int(rng.integers(c.pool))], rng)

    def _voice(self, rng: np.random.Generator) -> Voice:
        """A person, some of whose recordings are put aside as references."""
        speaker = str(rng.choice(list(self._people)))
        own = rng.permutation(self._people[speaker])
        aside = own[: -(-len(own) // 2)][:N_REFERENCES]
        said = self._sound.placed(self._sound.voice(rng, own[len(aside) :].tolist()), rng)
        return Voice(spectra(said), active_power(said), speaker, np.resize(aside, N_REFERENCES))

    def _cast(self, voices: list[Voice], rng: np.random.Generator) -> list[Voice]:
        """As many different people as are drawn."""
        chances, found = self._config.voices, dict[str, Voice]()
        wanted = int(rng.choice(len(chances), p=chances)) + 1
        while len(found) < wanted:
            voice = voices[int(rng.integers(len(voices)))]
            found[voice.speaker] = voice
        return list(found.values())

    def _row(
        self, cast: list[Voice], noise: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        c, level = self._config, 10 ** (rng.uniform(*self._config.sound.level_db) / 20)
        softer = [0.0, *rng.uniform(-c.voice_db, c.voice_db, len(cast) - 1)]
        said = [self._said(v, level * 10 ** (-db / 20), rng) for v, db in zip(cast, softer, strict=True)]
        quiet = level * 10 ** (-rng.uniform(*c.sound.snr_db) / 20)
        noisy = np.sum(said, axis=0) + response(rng) * np.float32(quiet) * noise
        first, second = [*said, np.zeros_like(noisy)][:2]
        references = [v.references for v in cast[:2]] + [np.full(N_REFERENCES, -1)]
        return bands(self._cleaner, noisy, first, second), np.stack(references[:2])

    def _said(self, voice: Voice, level: float, rng: np.random.Generator) -> np.ndarray:
        """At that level, all the time or for a part of it."""
        there, parted = np.zeros((len(voice.spectra), 1, 1), np.float32), rng.random() < self._config.parted
        begin, end = np.sort(rng.integers(len(there), size=2)) if parted else (0, len(there))
        there[begin:end] = level / np.sqrt(voice.loudness + 1e-12)
        return np.asarray(response(rng) * there * voice.spectra, np.float32)


def several(cache: AudioCache, clean_db: float) -> dict[str, list[int]]:
    """Two and more clean recordings of everybody of whom there are so many."""
    found: dict[str, list[int]] = defaultdict(list)
    for k, utterance in enumerate(cache.utterances):
        if not utterance.speaker.startswith("unknown:") and range_db(cache.audio(k)) >= clean_db:
            found[utterance.speaker].append(k)
    return {speaker: rows for speaker, rows in found.items() if len(rows) > 1}


def bands(model: Model, noisy: np.ndarray, *voices: np.ndarray) -> np.ndarray:
    """Of one mixture float32 (T, 257, 2) and voices in it: float16 (2 + voices, T − the cleaner's delay, 80).

    A gain is the real number that makes most of a voice from a band of the cleaned sound, 0 … 1.
    """
    behind = model.manifest.latency_samples // 160
    cleaned = model.run(spectra=noisy[None])[0][0, behind:]
    power = band_products(cleaned, cleaned) + POWER_FLOOR
    gains = [np.clip(band_products(cleaned, v[:-behind]) / power, 0.0, 1.0) for v in voices]
    return np.stack([band_levels(noisy[:-behind]), band_levels(cleaned), *gains]).astype(np.float16)


def embedded(data: Prepared, encoder: SpeakerEncoder, wanted: np.ndarray) -> np.ndarray:
    """Unit vectors float32 (recordings, dim) of the wanted recordings, zeros for others; kept in the work
    folder."""
    path = data.work / f"keeper_voices_{encoder.id[:12]}.npy"

    def make() -> None:
        shard = build_shard(data.cache, None, draw_speeds(len(data.cache), 0), 0, data.work / "clean_0.f16")
        found = np.zeros((len(data.cache), encoder.dim), np.float32)
        for k in tqdm(np.unique(wanted[wanted >= 0]), desc="voices", unit="recording", disable=None):
            found[k] = _voice(encoder, shard.columns(k).astype(np.float32))
        np.save(path, found)

    settings = {"encoder": encoder.id, "corpus": data.cache.sha256, "wanted": np.unique(wanted).tolist()}
    keep(path, settings, make)
    return np.asarray(np.load(path))


def _voice(encoder: SpeakerEncoder, columns: np.ndarray) -> np.ndarray:
    mask = speech_mask(columns)
    speech = columns[mask] if mask.sum() >= 10 else columns
    normal = encoder.stream().normalise(speech[:LONGEST_COLUMNS])
    return encoder.embed(encoder.tokens(normal))


class Lessons:
    """Crops of mixtures, each with a person to keep."""

    def __init__(self, config: KeeperTrainConfig, kept: Mixed, voices: np.ndarray) -> None:
        self._config, self._kept, self._voices = config, kept, voices

    def draw(self, rng: np.random.Generator) -> Crops:
        """A batch."""
        c, (n, _, length, _) = self._config, self._kept.bands.shape
        rows, starts = rng.integers(n, size=c.batch), rng.integers(length - c.columns + 1, size=c.batch)
        which, absent = rng.integers(2, size=c.batch), rng.random(c.batch) < c.absent
        which[self._kept.references[rows, 1, 0] < 0] = 0
        cut = [self._kept.bands[r, :, s : s + c.columns] for r, s in zip(rows, starts, strict=True)]
        noisy, cleaned, *gains = torch.from_numpy(np.stack(cut, 1)).float()
        coloured = self._colours(rng)
        wanted = torch.where(torch.from_numpy(which == 0)[:, None, None], gains[0], gains[1])
        there = torch.from_numpy(~absent).float()[:, None, None]
        whose = np.where(absent, rng.integers(n, size=c.batch), rows), np.where(absent, 0, which)
        return Crops(noisy + coloured, cleaned + coloured, there * wanted, self._people(*whose, rng))

    def _colours(self, rng: np.random.Generator) -> Tensor:
        """Levels (B, 1, 80) that another microphone adds: the gains stay."""
        knots = rng.uniform(-1, 1, (self._config.batch, 6)) * (self._config.colour_db / DB_PER_LEVEL)
        places = np.linspace(0, 5, N_MELS)
        levels = np.stack([np.interp(places, np.arange(6), row) for row in knots])
        return torch.from_numpy(levels).float()[:, None]

    def _people(self, rows: np.ndarray, which: np.ndarray, rng: np.random.Generator) -> Tensor:
        """Unit vectors of some recordings of each, blurred; zeros for anybody."""
        c, found = self._config, np.zeros((len(rows), self._voices.shape[1]), np.float32)
        for k in np.flatnonzero(rng.random(len(rows)) >= c.anybody):
            chosen = self._kept.references[rows[k], which[k]][: rng.integers(1, N_REFERENCES + 1)]
            mean = self._voices[chosen].mean(axis=0)
            noise = rng.standard_normal(len(mean)) * (rng.uniform(0, c.blur) / np.sqrt(len(mean)))
            blurred = mean / (np.linalg.norm(mean) + 1e-9) + noise
            found[k] = blurred / np.linalg.norm(blurred)
        return torch.from_numpy(found)


def train(
    config: KeeperTrainConfig,
    lessons: Lessons,
    checkpoint: Path | None = None,
    start: Path | None = None,
    stop_after: int | None = None,
) -> KeeperNet:
    """By `loop.train`; the mean of the weights. `start` is the checkpoint of another run, whose weights this
    one has first."""
    torch.manual_seed(config.seed)
    net = Averaged(KeeperNet(config.net), config.average)
    begin_with(net, start)
    optimiser = torch.optim.AdamW(net.net.parameters(), weight_decay=0.01)
    schedule = loop.Schedule(
        config.steps, config.learning_rate, warm_up=100, floor=0.01, save_every=200, seed=config.seed
    )
    judge = partial(judged, compression=config.compression, ratio_weight=config.ratio_weight)

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        net.take()
        loss, parts = judge(net.net, lessons.draw(rng))
        return loop.Outcome(loss, parts, config.batch * config.columns * 0.01)

    run = Run(net, optimiser, asdict(config), checkpoint)
    return loop.train(run, schedule, lesson, stop_after=stop_after).mean


def judged(
    net: KeeperNet, crops: Crops, compression: float, ratio_weight: float
) -> tuple[Tensor, dict[str, float]]:
    """Squared error of the gains, weighted by the bands' compressed power, and the share of the sound that is
    wrong."""
    ahead = net.config.ahead
    odds, _ = net(crops.cleaned, crops.noisy, crops.person, net.silence(len(crops.person)))
    wrong = (torch.sigmoid(odds[:, ahead:]) - crops.gain[:, :-ahead]).square()
    power = torch.exp(crops.cleaned[:, :-ahead] * LEVEL_SPREAD + LEVEL_MIDDLE)
    weight = power**compression
    error = (wrong * weight).sum((1, 2)) / weight.sum((1, 2))
    share = (wrong * power).sum((1, 2)) / power.sum((1, 2))
    ratio = torch.log(share + 1e-3).mean()
    loss = error.mean() + ratio_weight * ratio
    return loss, {"error": float(error.mean().detach()), "share": float(ratio.detach())}
