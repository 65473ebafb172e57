"""Training batches: crops of perturbed speech as the live encoder would hear them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voicelane.dsp import N_MELS, RunningMean
from voicelane.rt_models.training.shards import FrameTargets, Shard

NEPERS_PER_DB = np.log(10.0) / 10.0


@dataclass(frozen=True)
class CropConfig:
    """How crops are cut, perturbed and normalised."""

    columns: tuple[int, ...] = (120, 160, 240)
    """Crop lengths (10 ms each); few, because each is a new shape."""
    chances: tuple[float, ...] = (0.25, 0.5, 0.25)
    one_corpus: float = 0.6
    """Chance that all of a batch comes from one corpus, so that the recording tells nothing."""
    utterances_per_speaker: int = 0
    """For GE2E and angular prototypes: crops of each speaker in a batch; 0 draws freely."""
    noise: float = 0.4
    """Chance of noise underneath, added to the mel power of what the shard holds."""
    noise_snr_db: tuple[float, float] = (0.0, 25.0)
    babble: float = 0.15
    """Chance of 2–5 voices of the batch underneath."""
    babble_snr_db: tuple[float, float] = (3.0, 20.0)
    equaliser: float = 0.5
    """Chance of a smooth random frequency response."""
    equaliser_db: float = 8.0
    band_limit: float = 0.25
    """Chance that the bands above some frequency are all but empty, as behind a telephone."""
    band_limit_from: float = 0.7
    """Lowest such band, as a share of all (0.7 of 80 mel bands are about 3.4 kHz)."""
    band_limit_db: tuple[float, float] = (10.0, 60.0)
    gain_db: float = 10.0
    fresh: float = 0.4
    """Chance that the running mean has heard nothing yet; otherwise it has heard another voice."""
    history_columns: tuple[int, int] = (30, 300)
    level_jitter: float = 1.4
    """Level difference to the voice heard before, in nepers of power."""
    band_masks: int = 1
    band_width: int = 10
    time_masks: int = 1
    time_width: int = 15


class Batch(NamedTuple):
    """B crops with what they should become."""

    columns: np.ndarray
    """float32 (B, T, n_bands)"""
    targets: np.ndarray
    """Teacher embeddings of unit length, float32 (B, D)."""
    speakers: np.ndarray
    """int64 (B,); a voice at another speed is another speaker."""
    frames: np.ndarray
    """Teacher frame features at the tokens of 40 ms, float32 (B, T', K); K = 0 where there are none."""


@dataclass(frozen=True)
class Copy:
    """One copy of the corpus: its columns and the targets that go with its speed."""

    shard: Shard
    speech: list[np.ndarray]
    """Numbers of the speech columns, per utterance."""
    targets: np.ndarray
    speakers: np.ndarray
    frames: FrameTargets | None = None


def speech_mask(columns: np.ndarray, range_db: float = 32.0, hangover: int = 10) -> np.ndarray:
    """Columns of clean speech within `range_db` of its loud parts, widened by `hangover` columns."""
    level = np.logaddexp.reduce(columns.astype(np.float32), axis=1) / NEPERS_PER_DB
    if not len(level):
        return np.zeros(0, bool)
    loud = level > np.percentile(level, 95) - range_db
    return np.convolve(loud, np.ones(2 * hangover + 1))[hangover : hangover + len(loud)] > 0.5


class CropSampler:
    """Draws batches from several copies of one corpus; every draw comes from the Generator given."""

    def __init__(
        self,
        copies: list[Copy],
        corpora: Sequence[str],
        noises: list[np.ndarray],
        prior: np.ndarray,
        config: CropConfig,
        n_mels: int = N_MELS,
    ) -> None:
        """`noises` are mel power (n, n_mels), `prior` the mean column; what a column holds beyond its
        `n_mels` log-mel bands stays as the shard has it."""
        self.copies, self.prior, self.config = copies, prior, config
        self._corpora, self._noises, self._n_mels = np.array(corpora), noises, n_mels
        self._of_speaker = _groups(copies) if config.utterances_per_speaker else []

    @property
    def n_speakers(self) -> int:
        return 1 + max(int(c.speakers.max()) for c in self.copies)

    @property
    def frame_width(self) -> int:
        frames = [c.frames.width for c in self.copies if c.frames]
        return frames[0] if len(frames) == len(self.copies) else 0

    def bank(self) -> tuple[np.ndarray, np.ndarray]:
        """All distinct targets (K, D) and their speakers (K,)."""
        kept = {id(c.targets): c for c in self.copies}.values()
        return np.concatenate([c.targets for c in kept]), np.concatenate([c.speakers for c in kept])

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """`size` crops of one random length."""
        c = self.config
        length = int(rng.choice(c.columns, p=c.chances))
        chosen = self._choose(size, rng)
        taken = [_stretch(self.copies[k].speech[i], length, c.history_columns[1], rng) for k, i in chosen]
        pieces = [self.copies[k].shard.columns(i)[t] for (k, i), t in zip(chosen, taken, strict=True)]
        heard = [self._perturbed(p.astype(np.float32), pieces, rng) for p in pieces]
        starts = [int(rng.integers(len(t) - length + 1)) for t in taken]
        means = [h.mean(axis=0) for h in heard]
        columns = np.stack(
            [
                self._normalised(h[s : s + length], means[n], means[n - 1], rng)
                for n, (h, s) in enumerate(zip(heard, starts, strict=True))
            ]
        )
        self._mask(columns, rng)
        tokens = np.arange(3, length - 3, 4)
        return Batch(
            columns,
            np.stack([self.copies[k].targets[i] for k, i in chosen]),
            np.array([self.copies[k].speakers[i] for k, i in chosen]),
            np.stack(
                [
                    self._frames(k, i, t[s + tokens])
                    for (k, i), t, s in zip(chosen, taken, starts, strict=True)
                ]
            ),
        )

    def _choose(self, size: int, rng: np.random.Generator) -> list[tuple[int, int]]:
        """Pairs of copy and utterance: whole speakers, one corpus, or anything."""
        each = self.config.utterances_per_speaker
        if each:
            n_speakers = len(self._of_speaker)
            if n_speakers < size // each:
                raise ValueError(
                    f"a batch of {size} with {each} crops a speaker needs {size // each} speakers of two "
                    f"utterances or more, the manifest has {n_speakers}"
                )
            speakers = rng.choice(n_speakers, size // each, replace=False)
            groups = [self._of_speaker[s] for s in speakers]
            return [g[j] for g in groups for j in rng.choice(len(g), each, replace=len(g) < each)]
        kept = np.arange(len(self._corpora))
        if rng.random() < self.config.one_corpus:
            kept = np.flatnonzero(self._corpora == self._corpora[rng.integers(len(self._corpora))])
        which = rng.integers(len(self.copies), size=size)
        return list(zip(which.tolist(), rng.choice(kept, size=size).tolist(), strict=True))

    def _frames(self, copy: int, index: int, columns: np.ndarray) -> np.ndarray:
        frames = self.copies[copy].frames
        return (
            frames.at(index, columns)
            if frames and self.frame_width
            else np.zeros((len(columns), 0), np.float32)
        )

    def _perturbed(self, piece: np.ndarray, others: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """Another gain and frequency response, noise and voices underneath."""
        c, piece, rest = self.config, piece[:, : self._n_mels], piece[:, self._n_mels :]
        response = np.zeros(self._n_mels) + rng.uniform(-c.gain_db, c.gain_db)
        if rng.random() < c.equaliser:
            response += _response(self._n_mels, c.equaliser_db, rng)
        if rng.random() < c.band_limit:
            first = round(rng.uniform(c.band_limit_from, 1.0) * self._n_mels)
            response[first:] -= rng.uniform(*c.band_limit_db)
        power = np.exp(piece + (NEPERS_PER_DB * response).astype(np.float32))
        if self._noises and rng.random() < c.noise:
            noise = self._noises[rng.integers(len(self._noises))]
            power = _under(power, noise, rng.uniform(*c.noise_snr_db), rng)
        if rng.random() < c.babble:
            power = _under(power, self._babble(others, power.shape, rng), rng.uniform(*c.babble_snr_db), rng)
        return np.concatenate((np.log(power), rest), axis=1)

    def _babble(
        self, others: list[np.ndarray], shape: tuple[int, int], rng: np.random.Generator
    ) -> np.ndarray:
        """Mel power of 2 – 5 voices of equal level."""
        chosen = rng.integers(len(others), size=rng.integers(2, 6))
        mels = [others[j][:, : self._n_mels].astype(np.float32) for j in chosen]
        voices = [np.exp(np.resize(mel, shape)) for mel in mels]
        return np.sum([v / v.mean() for v in voices], axis=0)

    def _normalised(
        self, crop: np.ndarray, own: np.ndarray, other: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        c = self.config
        if rng.random() < c.fresh:
            return RunningMean(self.prior, n_mels=self._n_mels).process(crop)
        shape = own if rng.random() < 0.5 else other
        mels = np.arange(len(own)) < self._n_mels
        shift = own[mels].mean() - shape[mels].mean() + rng.uniform(-c.level_jitter, c.level_jitter)
        heard = int(rng.integers(*c.history_columns))
        return RunningMean(shape + shift * mels, heard, level_columns=heard, n_mels=self._n_mels).process(
            crop
        )

    def _mask(self, crops: np.ndarray, rng: np.random.Generator) -> None:
        c = self.config
        for crop in crops:
            for _ in range(c.band_masks):
                width = int(rng.integers(c.band_width + 1))
                start = int(rng.integers(crop.shape[1] - width + 1))
                crop[:, start : start + width] = 0.0
            for _ in range(c.time_masks):
                width = int(rng.integers(c.time_width + 1))
                start = int(rng.integers(len(crop) - width + 1))
                crop[start : start + width] = 0.0


def _groups(copies: list[Copy]) -> list[list[tuple[int, int]]]:
    """For every speaker of two utterances or more, where they are."""
    found: dict[int, list[tuple[int, int]]] = {}
    for k, copy in enumerate(copies):
        for i, speaker in enumerate(copy.speakers.tolist()):
            found.setdefault(speaker, []).append((k, i))
    return [places for places in found.values() if len({i for _, i in places}) > 1]


def _stretch(speech: np.ndarray, length: int, longest: int, rng: np.random.Generator) -> np.ndarray:
    """`length` … `longest` neighbouring speech columns; a shorter recording is repeated."""
    if len(speech) < length:
        return np.resize(speech, length)
    kept = max(length, min(longest, len(speech)))
    start = int(rng.integers(len(speech) - kept + 1))
    return speech[start : start + kept]


def _response(n_bands: int, depth_db: float, rng: np.random.Generator) -> np.ndarray:
    """Eight gains of up to ±`depth_db` with straight lines between them, (n_bands,)."""
    return np.interp(np.linspace(0, 7, n_bands), np.arange(8), rng.uniform(-depth_db, depth_db, 8))


def _under(speech: np.ndarray, sound: np.ndarray, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """Mel power of speech with a looped sound added (the two are taken as uncorrelated)."""
    start = int(rng.integers(len(sound)))
    looped = np.take(sound, np.arange(start, start + len(speech)), axis=0, mode="wrap")
    return speech + looped * (speech.mean() / looped.mean() * np.float32(10 ** (-snr_db / 10)))
