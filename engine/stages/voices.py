"""Speakers of a stream by what was heard of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from voicelane.base.timebase import samples, seconds
from voicelane.stages.encoder import Embedding
from voicelane.stages.scale import Scale, centred
from voicelane.stages.segmenter import Piece

ABSENT = samples(300.0)
"""Who has said nothing for so long is absent."""


class Speaker:
    """One voice: a bounded cache of its latest confident embeddings."""

    def __init__(self, name: str, most: int, dim: int, latest: int = 0) -> None:
        """`latest` is the sample at which it was heard last."""
        self.name, self.spoken_samples, self.latest = name, 0, latest
        self._kept = deque[tuple[np.ndarray, int]](maxlen=most)
        self._known_samples = 0
        self._mean: np.ndarray | None = np.zeros(dim)

    def learn(self, vector: np.ndarray, heard_samples: int, spoken_samples: int = 0) -> None:
        """Keep an embedding (dim,) of so much speech; count the speech that it is the first to tell of."""
        self.spoken_samples += spoken_samples
        if len(self._kept) == self._kept.maxlen:
            self._known_samples -= self._kept[0][1]
        self._known_samples += heard_samples
        self._kept.append((vector, heard_samples))
        self._mean = None

    @property
    def mean(self) -> np.ndarray:
        """Mean of what is kept (dim,)."""
        if self._mean is None:
            self._mean = np.mean([v for v, _ in self._kept], axis=0)
        return self._mean

    @property
    def centroid(self) -> np.ndarray:
        """The unit vector (dim,) along it."""
        return unit(self.mean)

    @property
    def known_s(self) -> float:
        """Seconds of speech behind what is kept."""
        return seconds(self._known_samples)


class Voices:
    """The speakers of a session and the offset of its channel: what an embedding is compared with."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self.speakers: list[Speaker] = []
        self.settle(0)

    def settle(self, now: int) -> None:
        """Take up what the speakers have learned by sample `now`."""
        means = np.array([s.mean for s in self.speakers]).reshape(-1, self._scale.dim)
        self.offset = self._scale.offset(means)
        self._known = centred(means, self.offset)
        self._known_s = np.array([s.known_s for s in self.speakers])
        self._absent = np.array([now - s.latest > ABSENT for s in self.speakers], bool)
        self._rarity = rarity(self._absent)

    def ratios(self, *pieces: Piece) -> np.ndarray:
        """Log-likelihood ratio of what pieces of one voice say together for each speaker (n_speakers,), less
        the `rarity` of its return; nothing but that where nothing is known of the voice."""
        vectors = [p.heard.vector for p in pieces if p.heard]
        if not vectors or not self.speakers:
            return -self._rarity
        heard = centred(np.mean(vectors, axis=0)[None], self.offset)
        heard_s = np.array([seconds(sum(p.heard_samples for p in pieces if p.heard))])
        return np.asarray(self._scale.ratios(heard, heard_s, self._known, self._known_s)[0] - self._rarity)

    def returning(self, pieces: Sequence[Piece], least: float) -> Speaker | None:
        """The absent speaker, if any, whose voice pieces are by a ratio of `least` or more."""
        ratios = np.where(self._absent, self.ratios(*pieces), -np.inf)
        return self.speakers[int(ratios.argmax())] if ratios.max() >= least else None

    def alike(self, a: Piece, b: Piece) -> float:
        """Log-likelihood ratio that two pieces are one person's; −∞ where nothing is known of one."""
        if a.heard is None or b.heard is None:
            return -np.inf
        return float(self._scale.ratios(*self._heard(a), *self._heard(b))[0, 0])

    def _heard(self, piece: Piece) -> tuple[np.ndarray, np.ndarray]:
        """A piece's centred embedding (1, dim) and its seconds of speech (1,)."""
        assert piece.heard is not None
        return centred(piece.heard.vector[None], self.offset), np.array([seconds(piece.heard_samples)])


def rarity(absent: np.ndarray) -> np.ndarray:
    """By how much each ratio (n,) must be higher to be believed: logarithm of the number of people, one more
    than are absent, of whom any may come next; 0 for those who are here.

    Among many absent people, somebody is always like the voice that is heard.
    """
    return np.where(absent, np.log1p(absent.sum()), 0.0)


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector at length 1."""
    return np.asarray(vector / (np.linalg.norm(vector) + 1e-9))


def similarity(heard: Embedding | None, speakers: Sequence[Speaker]) -> np.ndarray:
    """Cosine to each speaker (n_speakers,) as it is shown, zeros where nothing is known of the voice."""
    if heard is None or not speakers:
        return np.zeros(len(speakers))
    return np.asarray(np.stack([s.centroid for s in speakers]) @ heard.vector)


def choose(scores: np.ndarray, before: int, continuity: float, taken: int = -1) -> int:
    """The nearest speaker, where the one `before` keeps the word unless clearly beaten and the one who has it
    `taken` already is left out; −1 for nobody."""
    scores = scores.copy()
    if 0 <= before < len(scores):
        scores[before] += continuity
    if 0 <= taken < len(scores):
        scores[taken] = -np.inf
    return int(np.argmax(scores)) if len(scores) and np.isfinite(scores).any() else -1
