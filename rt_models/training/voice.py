"""What tells a voice from other sounds by its embedding: logistic regression on speech and on noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from voicelane import SAMPLE_RATE
from voicelane.rt_models.training.channels import Channel
from voicelane.rt_models.training.disturbances import disturbance
from voicelane.rt_models.training.scale import regression
from voicelane.rt_models.training.sessions import SessionConfig
from voicelane.stages import SpeakerEncoder, encoder_columns

SHRINKAGE = 1e-4
"""Weight of the squared regression weights."""
DISTURBANCE_S = 6
THINGS = 100
"""Synthetic disturbances beside the recorded noises."""


def noise_pieces(
    encoder: SpeakerEncoder, noises: Sequence[np.ndarray], config: SessionConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (n, dim) of pieces of noise as long as those of the sessions, many through a channel.

    Also of which of the noises each is (n,); synthetic disturbances come last.
    """
    rng, channel = np.random.default_rng((config.seed, 1)), Channel()
    things = [disturbance(DISTURBANCE_S * SAMPLE_RATE, rng) * np.float32(0.05) for _ in range(THINGS)]
    found: list[np.ndarray] = []
    whose: list[int] = []
    for k, noise in enumerate(tqdm([*noises, *things], unit="noise", disable=None)):
        heard = channel(noise, rng) if rng.random() < config.channel else noise
        columns = encoder_columns(encoder, heard[: 30 * SAMPLE_RATE])
        stream = encoder.stream()
        while len(columns) >= 40:
            n = min(len(columns), int(100 * rng.choice(config.seconds)))
            if n >= 10:
                found.append(encoder.embed(encoder.tokens(stream.normalise(columns[:n]))))
                whose.append(k)
            columns = columns[n:]
    return np.stack(found), np.array(whose)


def fit_voice(speech: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Weights (dim + 1,) of the log-likelihood ratio that an embedding is a voice's; one is constant."""
    features = np.concatenate((speech, noise)).astype(np.float64)
    features = np.concatenate((features, np.ones((len(features), 1))), axis=1)
    same = np.arange(len(features)) < len(speech)
    return regression(features, same, SHRINKAGE * (np.arange(features.shape[1]) < speech.shape[1]))
