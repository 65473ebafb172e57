"""Training of the voice activity detector on simulated conversations."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from engine import FRAME_SAMPLES, FeatureExtractor, Stft, VadEvidence, VadInput
from rt_models.nets.vad import VadNet, VadNetConfig
from rt_models.training.augment import AugmentConfig, equalise, lossy, power, telephone
from rt_models.training.conversations import Conversation, ConversationConfig, converse, noisy
from rt_models.training.corpus import Prepared
from rt_models.training.data import AudioCache
from rt_models.training.disturbances import disturbance


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


def evidence(samples: np.ndarray) -> np.ndarray:
    """The live detector's view of a whole recording, float32 (n_frames, 46)."""
    frames = samples[: len(samples) - len(samples) % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    columns = FeatureExtractor(phase=False).process(Stft().process(frames.astype(np.float32)))
    return VadEvidence().process(VadInput(frames, columns.log_mel)).features


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
    return evidence(_recorded(said, rng)), np.any(list(said.active.values()), axis=0)


def _recorded(said: Conversation, rng: np.random.Generator) -> np.ndarray:
    """Level, noise floor, frequency response and codec of a random microphone."""
    c = AugmentConfig()
    out = equalise(said.samples, 6.0, rng) if rng.random() < 0.5 else said.samples
    out = out * (10 ** (rng.uniform(-45, -15) / 20) / np.sqrt(power(out) + 1e-12))
    floor = 10 ** (rng.uniform(*c.floor_db) / 20)
    out = (out + floor * rng.standard_normal(len(out))).astype(np.float32).clip(-1, 1)
    draw = rng.random()
    if draw < 0.1:
        return telephone(out)
    return lossy(out, "opus", rng.uniform(0.3, 1)) if draw < 0.4 else out


def simulated(config: VadTrainConfig, data: Prepared, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Evidence and speech of all conversations, kept in `path`."""
    if not path.exists():
        pairs = [
            simulate(config, data.cache, data.rooms, data.noises, i) for i in range(config.conversations)
        ]
        np.savez(path, features=np.stack([x for x, _ in pairs]), speech=np.stack([y for _, y in pairs]))
    kept = np.load(path)
    return kept["features"], kept["speech"]


def train(
    config: VadTrainConfig, features: np.ndarray, speech: np.ndarray, weights: Path | None = None
) -> VadNet:
    """Fit to evidence (n, n_frames, 46) and speech (n, n_frames).

    Where the file `weights` exists, training goes on from it; the result is kept there.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    net, ahead = VadNet(config.net), config.net.ahead_frames
    if weights is not None and weights.exists():
        net.load_state_dict(torch.load(weights, weights_only=True))
    optimiser = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, config.steps)
    for step in range(config.steps):
        which = rng.integers(len(features), size=config.batch)
        starts = rng.integers(features.shape[1] - config.frames + 1, size=config.batch)
        x = np.stack([features[i, s : s + config.frames] for i, s in zip(which, starts, strict=True)])
        y = np.stack([speech[i, s : s + config.frames] for i, s in zip(which, starts, strict=True)])
        logits, _ = net(torch.from_numpy(x), net.silence(config.batch))
        wanted = torch.from_numpy(y[:, : config.frames - ahead].astype(np.float32))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, ahead:], wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        if step % 250 == 0 or step + 1 == config.steps:
            print(f"vad step {step} loss {loss.item():.4f}", flush=True)
    if weights is not None:
        torch.save(net.state_dict(), weights)
    return net.eval()
