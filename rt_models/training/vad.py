"""Training of the voice activity detector on simulated conversations."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voicelane import SAMPLE_RATE
from voicelane.base import FRAME_SAMPLES
from voicelane.rt_models.nets.vad import VadNet, VadNetConfig
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.augment import AugmentConfig, equalise, power
from voicelane.rt_models.training.caches import keep
from voicelane.rt_models.training.channels import Channel, ChannelConfig
from voicelane.rt_models.training.checkpoint import Run, begin_with
from voicelane.rt_models.training.conversations import Conversation, ConversationConfig, converse, noisy
from voicelane.rt_models.training.corpus import Prepared
from voicelane.rt_models.training.data import AudioCache
from voicelane.rt_models.training.disturbances import disturbance
from voicelane.stages import VadEvidence, levelled


@dataclass(frozen=True)
class VadTrainConfig:
    """One training run."""

    net: VadNetConfig = field(default_factory=VadNetConfig)
    conversations: int = 850
    seconds: float = 60.0
    clean: float = 0.2
    """Chance of no noise; otherwise the SNR is drawn from `snr_db`."""
    snr_db: tuple[float, float] = (-3.0, 30.0)
    disturbed: float = 0.2
    """Chance of a synthetic disturbance, with or without that."""
    disturbed_db: tuple[float, float] = (-3.0, 25.0)
    room: float = 0.5
    longest_gaps_s: tuple[float, ...] = (1.2, 3.0, 8.0, 20.0)
    """Longest pause between turns; one is drawn per conversation."""
    speechless: float = 0.12
    """Chance that nobody speaks at all."""
    steps: int = 5000
    batch: int = 32
    frames: int = 400
    learning_rate: float = 2e-3
    seed: int = 0


OF_THE_NETWORK = {"net", "steps", "batch", "frames", "learning_rate"}
"""Settings that change nothing of the conversations."""


def evidence(samples: np.ndarray) -> np.ndarray:
    """The live detector's view of a whole recording, float32 (n_frames, 46)."""
    return VadEvidence().process(levelled(samples.astype(np.float32))).features


def simulate(
    config: VadTrainConfig, cache: AudioCache, rooms: list[np.ndarray], noises: list[np.ndarray], index: int
) -> tuple[np.ndarray, np.ndarray]:
    """Evidence (n_frames, 46) and speech (n_frames,) of conversation `index`."""
    rng = np.random.default_rng((config.seed, index))
    chosen = rng.integers(len(cache), size=40).reshape(4, 10)
    voices = {f"s{k}": [cache.audio(i) for i in row] for k, row in enumerate(chosen)}
    places = {n: rooms[int(rng.integers(len(rooms)))] for n in voices} if rng.random() < config.room else None
    pauses = ConversationConfig(gap_s=(0.1, float(rng.choice(config.longest_gaps_s))))
    said = converse(voices, config.seconds, pauses, rng, places)
    if rng.random() < config.speechless:
        said = Conversation(
            1e-4 * rng.standard_normal(len(said.samples)).astype(np.float32),
            {name: np.zeros_like(active) for name, active in said.active.items()},
        )
    if rng.random() >= config.clean:
        beds = [noises[int(i)] for i in rng.integers(len(noises), size=4)]
        bed = np.concatenate([b / np.sqrt(power(b) + 1e-12) for b in beds])
        said = noisy(said, bed, rng.uniform(*config.snr_db))
    if rng.random() < config.disturbed:
        said = noisy(said, disturbance(len(said.samples), rng), rng.uniform(*config.disturbed_db))
    return evidence(_recorded(said, Channel(), rng)), np.any(list(said.active.values()), axis=0)


def _recorded(said: Conversation, channel: Channel, rng: np.random.Generator) -> np.ndarray:
    """Level, noise floor and frequency response of a random microphone, and the channel behind it."""
    c = AugmentConfig()
    out = equalise(said.samples, 6.0, rng) if rng.random() < 0.5 else said.samples
    out = out * (10 ** (rng.uniform(-45, -15) / 20) / np.sqrt(power(out) + 1e-12))
    floor = 10 ** (rng.uniform(*c.floor_db) / 20)
    out = (out + floor * rng.standard_normal(len(out))).astype(np.float32).clip(-1, 1)
    return channel(out, rng) if rng.random() < c.channel else out


def simulated(config: VadTrainConfig, data: Prepared, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Evidence and speech of all conversations, kept in `path`."""

    def make() -> None:
        pairs = [
            simulate(config, data.cache, data.rooms, data.noises, i) for i in range(config.conversations)
        ]
        np.savez(path, features=np.stack([x for x, _ in pairs]), speech=np.stack([y for _, y in pairs]))

    own = {k: v for k, v in asdict(config).items() if k not in OF_THE_NETWORK}
    recording = {"recording": asdict(AugmentConfig()), "channel": asdict(ChannelConfig())}
    keep(path, {**data.origin, **own, **recording}, make)
    kept = np.load(path)
    return kept["features"], kept["speech"]


def train(
    config: VadTrainConfig,
    features: np.ndarray,
    speech: np.ndarray,
    checkpoint: Path | None = None,
    start: Path | None = None,
    stop_after: int | None = None,
) -> VadNet:
    """Fit to evidence (n, n_frames, 46) and speech (n, n_frames) by `loop.train`; `start` is the checkpoint
    of another run whose weights this one begins with."""
    torch.manual_seed(config.seed)
    net = VadNet(config.net)
    begin_with(net, start)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = loop.Schedule(
        config.steps, config.learning_rate, warm_up=3 * config.steps // 10, seed=config.seed
    )

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        x, y = batch(config, features, speech, rng)
        return loop.Outcome(judged(net, x, y), {}, x.shape[0] * x.shape[1] * FRAME_SAMPLES / SAMPLE_RATE)

    run = Run(net, optimiser, asdict(config), checkpoint)
    return loop.train(run, schedule, lesson, stop_after=stop_after)


def batch(
    config: VadTrainConfig, features: np.ndarray, speech: np.ndarray, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Pieces of conversations: evidence (B, T, 46) and speech (B, T), float32."""
    which = rng.integers(len(features), size=config.batch)
    starts = rng.integers(features.shape[1] - config.frames + 1, size=config.batch)
    x = np.stack([features[i, s : s + config.frames] for i, s in zip(which, starts, strict=True)])
    y = np.stack([speech[i, s : s + config.frames] for i, s in zip(which, starts, strict=True)])
    return torch.from_numpy(x), torch.from_numpy(y.astype(np.float32))


def judged(net: VadNet, features: Tensor, speech: Tensor) -> Tensor:
    """Mean cross-entropy of every frame that the network has heard enough behind."""
    ahead = net.config.ahead_frames
    logits, _ = net(features, net.silence(len(features)))
    return F.binary_cross_entropy_with_logits(logits[:, ahead:], speech[:, : speech.shape[1] - ahead])
