"""Calibration of an encoder's scores: a cohort of strangers and a logistic regression, from training voices.

Voices are compared with strangers of their corpus, half of what is heard through rooms, noise and channels.
They may be heard at speeds that make other voices of them, each then compared and normalised at its speed.
Both sides go through `Enroller.listen`, as at run time.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tomli_w
from tqdm import tqdm

from voicelane import SAMPLE_RATE, ArraySource, Enroller, PipelineConfig
from voicelane.base import AudioError
from voicelane.rt_models.export.onnx import record_files
from voicelane.rt_models.training.augment import AugmentConfig, Augmenter
from voicelane.rt_models.training.corpus import Prepared
from voicelane.rt_models.training.data import change_speed
from voicelane.rt_models.training.scale import regression
from voicelane.stages import s_norm, score_features

RECORDINGS = 4


@dataclass(frozen=True)
class CalibrationConfig:
    """How many voices are compared, and for how long they are heard."""

    n_cohort: int = 300
    """Strangers that scores can be normalised by; none of them is in a trial."""
    nearest: int = 0
    """How many of the cohort, those most like a voice, its score is normalised by (adaptive s-norm); 0 leaves
    the cosine as it is, which holds better for accents and rooms that the cohort lacks (see the card)."""
    n_speakers: int = 500
    """Speakers of three recordings and more that are compared."""
    speeds: tuple[float, ...] = (1.0,)
    """Of which each speaker gets one. Others than 1 make voices of them that the encoder has not heard, and
    that are more alike than natural ones."""
    seconds: tuple[float, ...] = (1.0, 1.6, 2.5, 4.0, 8.0)
    """Lengths of sound that is heard; every voice is heard at each, as far as its recordings reach."""
    perturbed: float = 0.5
    """Chance of rooms, noise and the like on what is heard."""
    strangers: int = 50
    """Comparisons with other voices, per voice and length."""
    false_accepts: tuple[float, ...] = (0.1, 1.0, 5.0)
    """Percent of strangers, for the thresholds."""
    seed: int = 0


class Trials(NamedTuple):
    """Normalised scores, seconds of speech, and whether both are one voice, each (n,)."""

    scores: np.ndarray
    heard_s: np.ndarray
    same: np.ndarray


class Heard(NamedTuple):
    """One voice as it was enrolled, and what was heard of it later."""

    group: tuple[str, float]
    """Corpus and speed, within which strangers are drawn."""
    enrolled: np.ndarray
    vectors: list[np.ndarray]
    lengths_s: list[float]


def calibrate(
    config: PipelineConfig, data: Prepared, options: CalibrationConfig
) -> tuple[dict[str, object], np.ndarray]:
    """What `calibration.toml` holds but the checksum, and the cohort float32 (n, dim)."""
    enroller, rng = Enroller(config), np.random.default_rng(options.seed)
    speakers = _speakers(data, rng)
    chosen = [places for places in speakers if len(places) > 2][: options.n_speakers]
    taken = {places[0] for places in chosen}
    rest = [places for places in speakers if places[0] not in taken]
    made_at = (1.0, *options.speeds) if options.nearest else (1.0,)
    cohorts = {s: _cohort(enroller, data, rest[: options.n_cohort], s) for s in made_at}
    voices = Listener(enroller, data, options, rng).voices(chosen)
    trials = compare(voices, cohorts, options, rng)
    lengths_s = np.percentile(trials.heard_s, (1, 99)).round(2)
    weights = fit(trials, lengths_s)
    ratios = score_features(trials.scores, trials.heard_s.clip(*lengths_s)) @ weights
    strangers = ratios[~trials.same]
    space = enroller.space
    content = {
        "encoder": space.encoder,
        "encoder_id": space.encoder_id,
        "enhancer": space.enhancer,
        "weights": [round(float(w), 5) for w in weights],
        "nearest": options.nearest,
        "lengths_s": lengths_s.tolist(),
        "n_strangers": len(strangers),
        "n_voices": len(voices),
        "n_same": int(trials.same.sum()),
        "thresholds": {
            f"{p:g}": round(float(np.quantile(strangers, 1 - p / 100)), 4) for p in options.false_accepts
        },
    }
    return content, cohorts[1.0]


def write_calibration(content: dict[str, object], cohort: np.ndarray, folder: Path) -> None:
    """Into the encoder's folder, where the engine finds it."""
    np.save(folder / "cohort.npy", cohort.astype(np.float16))
    sha256 = hashlib.sha256((folder / "cohort.npy").read_bytes()).hexdigest()
    (folder / "calibration.toml").write_text(tomli_w.dumps({"cohort_sha256": sha256, **content}))
    record_files(folder, "calibration.toml")


def fit(trials: Trials, lengths_s: np.ndarray) -> np.ndarray:
    """Weights (4,) of `score_features` by logistic regression, both classes weighing the same.

    Raises `ValueError` where a higher score would not be more evidence at every length.
    """
    weights = regression(score_features(trials.scores, trials.heard_s.clip(*lengths_s)), trials.same)
    if (weights[1] + weights[3] * np.log2(lengths_s)).min() <= 0:
        raise ValueError("a higher score is not more evidence at every length; calibrate on more voices")
    return weights


def compare(
    voices: list[Heard],
    cohorts: dict[float, np.ndarray],
    options: CalibrationConfig,
    rng: np.random.Generator,
) -> Trials:
    """Everything heard against the own enrolment and those of some strangers of its group, normalised by the
    cohort at its speed where there is one."""
    enrolled = np.stack([v.enrolled for v in voices])
    groups: dict[tuple[str, float], list[int]] = defaultdict(list)
    for i, voice in enumerate(voices):
        groups[voice.group].append(i)
    rows: list[tuple[float, float, bool]] = []
    for i, voice in enumerate(voices):
        others, cohort = [j for j in groups[voice.group] if j != i], cohorts.get(voice.group[1], cohorts[1.0])
        for vector, length_s in zip(voice.vectors, voice.lengths_s, strict=True):
            n_others = min(options.strangers, len(others))
            chosen = rng.choice(others, n_others, replace=False).tolist() if others else []
            compared: list[int] = [i, *chosen]
            scores = s_norm(enrolled[compared], vector[None], cohort, options.nearest)[:, 0]
            rows += [(score, length_s, j == i) for score, j in zip(scores, compared, strict=True)]
    return Trials(*(np.array(column) for column in zip(*rows, strict=True)))


def _speakers(data: Prepared, rng: np.random.Generator) -> list[list[int]]:
    """The recordings of every speaker, the speakers in random order."""
    found: dict[str, list[int]] = defaultdict(list)
    for i, utterance in enumerate(data.cache.utterances):
        found[utterance.speaker].append(i)
    places = list(found.values())
    return [places[i] for i in rng.permutation(len(places))]


def _cohort(enroller: Enroller, data: Prepared, speakers: list[list[int]], speed: float) -> np.ndarray:
    """Unit vectors float32 (n, dim) of all that speakers say in up to four recordings, at a speed."""
    found = []
    for places in tqdm(speakers, desc=f"cohort at {speed:g}", unit="voice", disable=None):
        if listened := _listen(enroller, _sound(data, places, speed)):
            found.append(listened[0])
    return np.array(found, np.float32)


def _sound(data: Prepared, places: list[int], speed: float) -> np.ndarray:
    """Up to four recordings one after another, at a speed."""
    return change_speed(np.concatenate([data.cache.audio(i) for i in places[:RECORDINGS]]), speed)


def _listen(enroller: Enroller, sound: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Unit vector and seconds of speech of a sound; None where no speech is found in it."""
    try:
        heard = enroller.listen(ArraySource(sound)).recording
    except AudioError:
        return None
    return heard.embedding, heard.speech_s


class Listener:
    """Speakers at another speed: one half of their recordings enrolled, pieces of the other half heard."""

    def __init__(
        self, enroller: Enroller, data: Prepared, options: CalibrationConfig, rng: np.random.Generator
    ) -> None:
        self._enroller, self._data, self._options, self._rng = enroller, data, options, rng
        self._augment = Augmenter(AugmentConfig(), data.rooms, data.noises, data.cache)

    def voices(self, speakers: list[list[int]]) -> list[Heard]:
        """Those of the speakers who can be enrolled."""
        bar = tqdm(speakers, desc="trials", unit="voice", disable=None)
        return [voice for places in bar if (voice := self._voice(places))]

    def _voice(self, places: list[int]) -> Heard | None:
        speed, half = float(self._rng.choice(self._options.speeds)), (len(places) + 1) // 2
        enrolled = _listen(self._enroller, _sound(self._data, places[:half], speed))
        later = _sound(self._data, places[half:], speed)
        pieces = [_listen(self._enroller, self._piece(later, s)) for s in self._options.seconds]
        if enrolled is None or not (found := [p for p in pieces if p]):
            return None
        corpus = self._data.cache.utterances[places[0]].corpus
        return Heard((corpus, speed), enrolled[0], [v for v, _ in found], [s for _, s in found])

    def _piece(self, sound: np.ndarray, length_s: float) -> np.ndarray:
        """So much of a sound, from anywhere in it, perturbed or not."""
        length = min(len(sound), int(length_s * SAMPLE_RATE))
        start = int(self._rng.integers(len(sound) - length + 1))
        piece = sound[start : start + length]
        return self._augment(piece, self._rng) if self._rng.random() < self._options.perturbed else piece
