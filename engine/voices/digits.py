"""Spoken digits: drawn by a class-conditional diffusion network as mel pictures, and read from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from voicelane.base.errors import ModelError, VoicelaneError
from voicelane.base.timebase import samples, seconds
from voicelane.dsp import ddpm
from voicelane.dsp.mel import BANDS, COLUMNS, mel_picture, mel_sound, trimmed
from voicelane.inference.onnx import Model, find_model

LANGUAGES = ("en", "ar")
DRAWING, READING = "digits", "digit_reader"
PAUSE_S = 0.2
STOP_S, HESITATION_S, LEAST_S = 0.15, 0.25, 0.12
STEPS, GUIDANCE = 15, 2.0
MOST_DIGITS = 100


class DigitSpeaker:
    """Draws spoken digits; none of them was ever said."""

    def __init__(self, folder: Path) -> None:
        self._model = Model(folder)
        settings = self._model.manifest.settings
        if missing := {"schedule", "times", "target", "languages"} - settings.keys():
            raise ModelError(f"{self._model.manifest.name}: its manifest lacks {', '.join(sorted(missing))}")
        self.alpha_bar = ddpm.SCHEDULES[settings["schedule"]](int(settings["times"]))
        self._target: ddpm.Target = settings["target"]
        self.nothing = 10 * len(settings["languages"])

    def draw(
        self,
        classes: np.ndarray,
        rng: np.random.Generator,
        steps: int = STEPS,
        guidance: float = GUIDANCE,
        eta: float = 0.0,
    ) -> np.ndarray:
        """Mel pictures float32 (n, 64, 64) of classes (n,), 10 · language + digit."""
        shape, last = (len(classes), BANDS, COLUMNS), len(self.alpha_bar) - 1

        def noise() -> np.ndarray:
            return rng.standard_normal(shape, np.float32)

        nothing, at = np.full_like(classes, self.nothing), ddpm.times(last, steps)
        predict = ddpm.guide(self._estimate, classes, nothing, last, guidance)
        found = ddpm.sample(predict, noise(), self.alpha_bar, at, self._target, eta, noise, _in_range)
        return np.asarray(found, np.float32)

    def say(self, classes: np.ndarray, rng: np.random.Generator, steps: int = STEPS) -> np.ndarray:
        """16 kHz mono float32 (n,) of digits one after the other, with pauses."""
        pause = np.zeros(samples(PAUSE_S), np.float32)
        words = [trimmed(mel_sound(picture, rng)) for picture in self.draw(classes, rng, steps)]
        return np.concatenate([part for word in words for part in (word, pause)])

    def enhance(
        self,
        pictures: np.ndarray,
        rng: np.random.Generator,
        share: float = 0.4,
        steps: int = 4,
        reader: DigitReader | None = None,
        language: str = "en",
    ) -> np.ndarray:
        """Pictures float32 (n, 64, 64) of noisy digits with less noise: noised up to a share of the time, and
        denoised from there (SDEdit, https://arxiv.org/abs/2108.01073).

        Classifier-free, the network is told no digit. Guided by a `reader`, an estimate is the mean of those
        for all digits of a language, each as likely as the reader takes the estimate for it.
        """
        last = len(self.alpha_bar) - 1
        at = ddpm.times(max(steps, round(share * last)), steps)
        noise = rng.standard_normal(pictures.shape, np.float32)
        noisy = ddpm.noised(pictures, noise, float(self.alpha_bar[at[0]]))

        def predict(x: np.ndarray, t: int) -> np.ndarray:
            x, when = np.asarray(x, np.float32), np.full(len(x), t / last, np.float32)
            free = self._estimate(x, when, np.full(len(x), self.nothing, np.int64))
            return self._told(x, when, reader.read(_in_range(free), language), language) if reader else free

        found = ddpm.sample(predict, noisy, self.alpha_bar, at, self._target, limit=_in_range)
        return np.asarray(found, np.float32)

    def _told(self, x: np.ndarray, when: np.ndarray, logs: np.ndarray, language: str) -> np.ndarray:
        """Mean of the estimates for each digit, by its log-probability (n, 10)."""
        numbers = [np.full(len(x), k, np.int64) for k in classes_of(range(10), language)]
        made = np.stack([self._estimate(x, when, k) for k in numbers], axis=1)
        return np.einsum("nk,nkbc->nbc", np.exp(logs), made)

    def _estimate(self, x: np.ndarray, t: np.ndarray, classes: np.ndarray) -> np.ndarray:
        return self._model.run(x_t=x, t=t, digit=classes)[0]


class DigitReader:
    """Tells which digit a word is."""

    def __init__(self, folder: Path) -> None:
        self._model = Model(folder)

    def read(self, pictures: np.ndarray, language: str) -> np.ndarray:
        """Log-probabilities float64 (n, 10) of the digits of a language, of mel pictures (n, 64, 64)."""
        first = 10 * language_number(language)
        logits = self.features(pictures)[0][:, first : first + 10].astype(np.float64)
        return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))

    def features(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits (n, 20) and what they are taken from (n, width)."""
        logits, features = self._model.run(picture=np.asarray(pictures, np.float32))
        return logits, features


def load_digit_speaker() -> DigitSpeaker:
    """The installed network that draws digits; raises `ModelError`."""
    return DigitSpeaker(find_model(DRAWING, DRAWING))


def load_digit_reader() -> DigitReader:
    """The installed network that reads them; raises `ModelError`."""
    return DigitReader(find_model(READING, READING))


def language_number(language: str) -> int:
    """Its place among the languages; raises `VoicelaneError` for another."""
    if language not in LANGUAGES:
        raise VoicelaneError(f"digits in {language!r}: expected {' or '.join(LANGUAGES)}")
    return LANGUAGES.index(language)


def parse_digits(text: str) -> list[int]:
    """The digits of "4 7 1 9" or "4719"; raises `VoicelaneError` where there is anything else."""
    found = re.sub(r"[\s,.-]+", "", text)
    if not (found.isascii() and found.isdigit()) or len(found) > MOST_DIGITS:
        raise VoicelaneError(f'{text[:80]!r}: expected 1 … {MOST_DIGITS} digits, as in "4 7 1 9"')
    return [int(c) for c in found]


def classes_of(digits: Sequence[int], language: str) -> np.ndarray:
    """Classes int64 (n,) of digits in a language."""
    return 10 * language_number(language) + np.array(digits, np.int64)


def words_in(sound: np.ndarray, expected: int = 0) -> list[np.ndarray]:
    """The words of a recording, 16 kHz mono (n,), that pauses divide: stretches 12 dB over the noise and
    within 32 dB of the loudest.

    Stretches nearer than `STOP_S` are one word, and where there are more than `expected`, those nearer than
    `HESITATION_S`, the nearest first; what is shorter than `LEAST_S` is none.
    """
    spans = _stretches(sound)
    while (near := _nearest(spans)) and (near[0] < STOP_S or 0 < expected < len(spans)):
        gap, k = near
        if gap >= HESITATION_S:
            break
        spans[k : k + 2] = [(spans[k][0], spans[k + 1][1])]
    edge, least = samples(0.03), samples(LEAST_S)
    return [sound[max(0, a - edge) : b + edge] for a, b in spans if b - a >= least]


def _stretches(sound: np.ndarray) -> list[tuple[int, int]]:
    """First and last sample of all that is loud."""
    hop = samples(0.01)
    n = len(sound) // hop
    if not n:
        return []
    frames = np.asarray(sound[: n * hop], np.float64).reshape(n, hop)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-12)
    heard = level > max(np.quantile(level, 0.1) + 12, level.max() - 32)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], heard.astype(int), [0]))))
    return [(a * hop, b * hop) for a, b in edges.reshape(-1, 2).tolist()]


def _nearest(spans: list[tuple[int, int]]) -> tuple[float, int] | None:
    """The shortest pause in seconds and the number of the stretch before it; None where there is none."""
    gaps = [(seconds(b[0] - a[1]), k) for k, (a, b) in enumerate(pairwise(spans))]
    return min(gaps) if gaps else None


def pictures_of(words: Sequence[np.ndarray]) -> np.ndarray:
    """Mel pictures float32 (n, 64, 64) of words."""
    return np.stack([mel_picture(trimmed(word)) for word in words])


def _in_range(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture, -1.0, 1.0)
