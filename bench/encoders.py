"""Other speaker encoders behind two calls: a recording's embedding, and the network on 1.6 s for timing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voicelane import ArraySource, PipelineConfig
from voicelane.config import EncoderConfig
from voicelane.dsp import kaldi_fbank
from voicelane.inference import Model
from voicelane.profiles import FileEmbedder
from voicelane.stages import load_encoder

WINDOW_COLUMNS = 160


class System(NamedTuple):
    """An encoder to compare."""

    embed: Callable[[np.ndarray], np.ndarray]
    """Samples at 16 kHz → unit vector."""
    window: Callable[[], object]
    """The network once, on features of 1.6 s that are there already."""


def ours(name: str) -> System:
    """An encoder of this engine over the speech of a recording."""
    embedder = FileEmbedder(PipelineConfig(encoder=EncoderConfig(model=name)))
    encoder = load_encoder(EncoderConfig(model=name))
    columns = noise(encoder.n_bands)
    return System(
        lambda samples: embedder.embed(ArraySource(samples)), lambda: encoder.embed(encoder.tokens(columns))
    )


def campplus(folder: Path) -> System:
    """CAM++ over the whole recording, from `python -m voicelane.rt_models.export campplus`."""
    model = Model(folder)

    def embed(samples: np.ndarray) -> np.ndarray:
        columns = kaldi_fbank(samples)
        return unit(model.run(columns=(columns - columns.mean(axis=0))[None])[0][0])

    columns = noise(80)[None]
    return System(embed, lambda: model.run(columns=columns))


def resemblyzer() -> System:
    """The d-vector network of the Resemblyzer package, with its own preprocessing (torch, one thread)."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read when the package brings in torch
    from resemblyzer import VoiceEncoder, preprocess_wav

    network = VoiceEncoder("cpu", verbose=False).requires_grad_(False)

    def embed(samples: np.ndarray) -> np.ndarray:
        trimmed = preprocess_wav(samples, source_sr=16_000)
        return unit(network.embed_utterance(trimmed if len(trimmed) else samples))

    columns = network.linear.weight.new_zeros(1, WINDOW_COLUMNS, 40).normal_()
    return System(embed, lambda: network(columns))


def noise(n_bands: int) -> np.ndarray:
    """Features of nothing in particular, float32 (160, n_bands)."""
    return np.random.default_rng(0).standard_normal((WINDOW_COLUMNS, n_bands)).astype(np.float32)


def unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
