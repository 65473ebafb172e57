"""Training of embedding enhancers: the diffusion network of SEED, and a plain MLP of its size beside it.

Embeddings have the length √D in training and at inference alike (the original mixes raw and scaled norms).
No speaker labels are used.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voicelane.dsp import ddim
from voicelane.rt_models.nets.seed import ResidualDiffusionMlp, ResidualMlp, SeedConfig
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.checkpoint import Run
from voicelane.rt_models.training.pairs import PairConfig, Pairs

Enhancer = ResidualDiffusionMlp | ResidualMlp
METHODS = ("seed", "mlp")


@dataclass(frozen=True)
class LossWeights:
    """What a network is asked for; the defaults are the published losses alone."""

    regression: float = 1.0
    """The method's own loss: the distance to the clean embedding."""
    contrast: float = 0.0
    """Telling voices apart by what the network gives at inference."""
    toward_clean: float = 0.0
    """1 − cos between what the network gives at inference and the clean embedding."""


@dataclass(frozen=True)
class EnhancerTrainConfig:
    """One training run of both networks."""

    pairs: PairConfig = field(default_factory=PairConfig)
    seed_blocks: int = 3
    mlp_blocks: int = 4
    """One more than SEED's makes the two equally large."""
    self_conditioning: bool = False
    dropout: float = 0.0
    t0: int = 50
    """Time at which SEED begins at inference."""
    steps: tuple[int, ...] = (1, 4)
    """Numbers of DDIM steps that are exported, the default first."""
    batches: int = 4000
    batch: int = 256
    learning_rate: float = 5e-4
    weight_decay: float = 5e-5
    warm_up: int = 100
    clean: float = 0.1
    """Share of the inputs that are clean already."""
    one_corpus: float = 0.0
    """Chance that all of a batch comes from one corpus, so that the recording tells nothing."""
    seed_loss: LossWeights = field(default_factory=LossWeights)
    mlp_loss: LossWeights = field(default_factory=LossWeights)
    contrast_scale: float = 20.0
    """Cosines are multiplied by it before the softmax."""
    same_voice: float = 0.6
    """Cosine of two recordings' voices (the teacher's, if there is one) that makes them one voice."""
    other_voice: float = 0.5
    """Cosine below which they are told apart."""
    raw_share: float = 0.0
    """Share of the raw vector in what is exported."""
    seed: int = 0


class Batch(NamedTuple):
    """Recordings, perturbed and clean, and a perturbed one of the same voice for each: (B, D), length √D."""

    noisy: Tensor
    clean: Tensor
    partner: Tensor
    unsure: Tensor
    """Whether recording i and partner j ≠ i may be one voice, bool (B, B)."""


def diffusion_loss(net: ResidualDiffusionMlp, batch: Batch, rng: torch.Generator) -> Tensor:
    """Mean |x̂0 − clean| where the network sees the *noisy* embedding diffused to a random time.

    With self-conditioning the network is told its own first estimate half of the time.
    """
    t = torch.randint(ddim.T, (len(batch.noisy),), generator=rng)
    alpha_bar = torch.from_numpy(ddim.ALPHA_BARS).float()[t, None]
    noise = torch.randn(batch.noisy.shape, generator=rng)
    x_t = alpha_bar.sqrt() * batch.noisy + (1 - alpha_bar).sqrt() * noise
    before = torch.zeros_like(x_t)
    if net.config.self_conditioning and torch.rand(1, generator=rng) < 0.5:
        with torch.no_grad():
            before = net(x_t, t.float(), before)
    return F.l1_loss(net(x_t, t.float(), before), batch.clean)


def plain_loss(net: ResidualMlp, batch: Batch) -> Tensor:
    """Mean log(‖x − x̂‖² + 1e-6)."""
    return torch.log(((net(batch.noisy) - batch.clean) ** 2).sum(dim=1) + 1e-6).mean()


def contrastive_loss(a: Tensor, b: Tensor, unsure: Tensor, scale: float) -> Tensor:
    """Cross-entropy of finding row i of unit vectors `b` by row i of `a`; what is `unsure` does not count."""
    return F.cross_entropy((scale * a @ b.T).masked_fill(unsure, -torch.inf), torch.arange(len(a)))


def enhance(net: nn.Module, x: Tensor, t0: int, noise: Tensor | float = 0.0) -> Tensor:
    """Unit vectors as the network gives them at inference: SEED by one step from t0."""
    if isinstance(net, ResidualMlp):
        return F.normalize(net(x), dim=1)
    x_t = ddim.noised(x, noise, t0)
    estimate = net(x_t, torch.full((1,), float(t0)), torch.zeros_like(x))
    return F.normalize(estimate, dim=1, eps=0.01)  # the fresh network gives zero


def loss(net: Enhancer, batch: Batch, config: EnhancerTrainConfig, rng: torch.Generator) -> Tensor:
    """What the settings ask of the network, weighted."""
    if isinstance(net, ResidualMlp):
        weights, own = config.mlp_loss, plain_loss(net, batch)
    else:
        weights, own = config.seed_loss, diffusion_loss(net, batch, rng)
    total = weights.regression * own
    if weights.contrast or weights.toward_clean:
        found, partner = enhance(net, batch.noisy, config.t0), enhance(net, batch.partner, config.t0)
        apart = contrastive_loss(found, partner, batch.unsure, config.contrast_scale)
        near = F.cosine_similarity(found, batch.clean).mean()
        total = total + weights.contrast * apart + weights.toward_clean * (1 - near)
    return total


class PairSampler:
    """Draws batches of pairs; every draw comes from the Generator given."""

    def __init__(self, pairs: Pairs, config: EnhancerTrainConfig) -> None:
        self._pairs, self._config = pairs, config
        self._same: list[np.ndarray] = []
        usable = np.ones(len(pairs.clean), bool)
        if config.seed_loss.contrast or config.mlp_loss.contrast:
            self._same = same_voices(pairs.voices, config.same_voice)
            paired = np.array([i not in same for i, same in enumerate(self._same)])
            usable = paired if paired.any() else usable
        self._usable = np.flatnonzero(usable)
        self._corpora = [
            np.flatnonzero(usable & (pairs.corpora == name)) for name in np.unique(pairs.corpora)
        ]

    def batch(self, rng: np.random.Generator) -> Batch:
        which = self._choose(rng)
        partners = np.array([rng.choice(self._same[i]) for i in which]) if self._same else which
        own, voices = self._pairs.clean[which], self._pairs.voices
        unsure = voices[which] @ voices[partners].T > self._config.other_voice
        np.fill_diagonal(unsure, False)
        rows = (self._noisy(which, rng), own, self._noisy(partners, rng))
        length = math.sqrt(own.shape[1])
        noisy, clean, partner = (torch.from_numpy(length * x) for x in rows)
        return Batch(noisy, clean, partner, torch.from_numpy(unsure))

    def _choose(self, rng: np.random.Generator) -> np.ndarray:
        """Different recordings, often all of one corpus; where voices are told apart, only those whose voice
        is in another recording too, if there are any."""
        pool = self._usable
        if rng.random() < self._config.one_corpus:
            pool = self._corpora[
                rng.choice(len(self._corpora), p=[len(c) / len(pool) for c in self._corpora])
            ]
        return rng.choice(pool, size=min(self._config.batch, len(pool)), replace=False)

    def _noisy(self, which: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A version of each, sometimes the clean one."""
        noisy = self._pairs.noisy[rng.integers(len(self._pairs.noisy), size=len(which)), which]
        return np.where(rng.random((len(which), 1)) < self._config.clean, self._pairs.clean[which], noisy)


def same_voices(voices: np.ndarray, least: float) -> list[np.ndarray]:
    """For each of the unit vectors (n, K) those of a cosine above `least`; itself where there is no other."""
    found = []
    for start in range(0, len(voices), 1000):
        for i, row in enumerate(voices[start : start + 1000] @ voices.T > least, start):
            row[i] = False
            found.append(np.flatnonzero(row) if row.any() else np.array([i]))
    return found


HELD_OUT = 20
"""Every 20th recording is not trained on: the confidence is fitted to those."""


def train(
    method: str,
    config: EnhancerTrainConfig,
    pairs: Pairs,
    checkpoint: Path | None = None,
    stop_after: int | None = None,
) -> Enhancer:
    """The network of `method` (`seed` or `mlp`) after `config.batches` of `loop.train`."""
    torch.manual_seed(config.seed)
    net = build(method, config, pairs.clean.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=config.weight_decay)
    schedule = loop.Schedule(config.batches, config.learning_rate, config.warm_up, clip=3.0, seed=config.seed)
    trained = np.arange(len(pairs.clean)) % HELD_OUT > 0
    sampler = PairSampler(pairs.of(trained), config)

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        batch = sampler.batch(rng)
        noises = torch.Generator().manual_seed(int(rng.integers(2**63)))
        return loop.Outcome(loss(net, batch, config, noises), {}, 0.0)

    run = Run(net, optimiser, asdict(config) | {"method": method}, checkpoint)
    return loop.train(run, schedule, lesson, stop_after=stop_after)


def build(method: str, config: EnhancerTrainConfig, dim: int) -> Enhancer:
    if method == "mlp":
        return ResidualMlp(SeedConfig(dim, config.mlp_blocks, dropout=config.dropout))
    return ResidualDiffusionMlp(SeedConfig(dim, config.seed_blocks, config.self_conditioning, config.dropout))


@torch.inference_mode()
def confidence(net: Enhancer, config: EnhancerTrainConfig, pairs: Pairs, draws: int = 8) -> list[float]:
    """Bias and weights of the movement and of the spread (cosine distances, as `Enhancer` takes them) that
    predict the cosine between the enhanced vectors and the clean ones, on recordings not trained on."""
    held = pairs.of(np.arange(len(pairs.clean)) % HELD_OUT == 0)
    raw = torch.from_numpy(np.concatenate((held.clean, *held.noisy)))
    clean = torch.from_numpy(np.tile(held.clean, (1 + len(held.noisy), 1)))

    def shipped(noise: Tensor | float) -> Tensor:
        found = enhance(net, math.sqrt(raw.shape[1]) * raw, config.t0, noise)
        return F.normalize((1 - config.raw_share) * found + config.raw_share * raw, dim=1)

    noises, found = torch.Generator().manual_seed(config.seed), shipped(0.0)
    drawn = [shipped(torch.randn(raw.shape, generator=noises)) for _ in range(draws)]
    moved = 1 - (found * raw).sum(dim=1)
    spread = 1 - torch.stack([(d * found).sum(dim=1) for d in drawn]).mean(dim=0)
    columns = [torch.ones(len(raw)), moved] + ([] if isinstance(net, ResidualMlp) else [spread])
    solution = torch.linalg.lstsq(torch.stack(columns, dim=1).double(), (found * clean).sum(dim=1).double())
    return [round(float(v), 4) for v in (*solution.solution, 0.0)][:3]
