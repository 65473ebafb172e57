"""Voices as a Gaussian model: how embeddings differ between people and within one (PLDA), and Bayesian
clustering on top of it (VBx, Landini et al. 2022)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.config import EncoderConfig
from engine.dsp.kernels import forward_backward
from engine.errors import ModelError
from engine.inference.manifest import read_manifest, read_part
from engine.inference.onnx import find_model, installed
from engine.names import quoted
from engine.stages.encoder import SpeakerEncoder

NAME = "plda.npz"
SAME_PERSON = 0.5
"""Cosine between two embeddings of one person that an encoder without a model of its own is taken to give."""


class Plda(NamedTuple):
    """Two-covariance model: projected, voices spread by `between` around 0, embeddings by 1 around each."""

    mean: np.ndarray
    """float64 (dim,)"""
    transform: np.ndarray
    """float64 (dim, k)"""
    between: np.ndarray
    """float64 (k,)"""

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors (n, dim) where the model holds, (n, k)."""
        return (vectors - self.mean) @ self.transform


def isotropic(dim: int) -> Plda:
    """The model of an encoder of which nothing is known: every direction alike."""
    share = SAME_PERSON / (1.0 - SAME_PERSON)
    return Plda(np.zeros(dim), np.eye(dim) * np.sqrt(dim / (1.0 - SAME_PERSON)), np.full(dim, share))


def load_plda(config: EncoderConfig, encoder: SpeakerEncoder, enhanced: bool) -> Plda:
    """The model in the encoder's folder, or in that of the encoder it is a variant of; else `isotropic`.

    Raises `ModelError` for a file that is damaged or of another encoder.
    """
    folders = [find_model(config.model, "encoder")]
    folders += [f for f in installed() if read_manifest(f).sha256 == encoder.id]
    found = next((f / NAME for f in folders if (f / NAME).exists()), None)
    if found is None or enhanced:
        return isotropic(encoder.dim)
    return read_plda(read_part(found.parent, NAME), found, encoder)


def read_plda(content: bytes, path: Path, encoder: SpeakerEncoder) -> Plda:
    """The content of a file that `python -m rt_models.training plda` wrote."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            found = {name: kept[name] for name in ("mean", "transform", "between", "encoder_id")}
            mean, transform, between = (found[n].astype(np.float64) for n in ("mean", "transform", "between"))
    except Exception as problem:  # numpy and zipfile raise a dozen kinds for damage
        raise ModelError(f"{path}: is damaged ({quoted(str(problem))}); reinstall the model") from None
    if str(found["encoder_id"]) != encoder.id:
        raise ModelError(
            f"{path}: was fitted to another encoder; fit it with `python -m rt_models.training plda`"
        )
    whole = all(np.isfinite(x).all() for x in (mean, transform, between))
    if not whole or mean.shape != (encoder.dim,) or transform.shape != (encoder.dim, between.size):
        raise ModelError(f"{path}: does not fit embeddings of {encoder.dim} numbers; reinstall the model")
    return Plda(mean, transform, between)


def vbx(
    projected: np.ndarray,
    between: np.ndarray,
    start: np.ndarray,
    loop: float,
    acoustic: float,
    speaker: float,
    rounds: int = 20,
) -> np.ndarray:
    """Chances (n, n_speakers) of embeddings (n, k) in order of time, from labels `start` (n,).

    A hidden Markov model whose states are speakers, each with a Gaussian posterior of its voice; `loop` is
    the chance to stay, `acoustic` (F_A) and `speaker` (F_B) weigh evidence and prior. A state that the
    evidence does not need loses its share.
    """
    n_speakers = int(start.max()) + 1
    chance = np.where(start[:, None] == np.arange(n_speakers), np.exp(5.0), 1.0)
    chance /= chance.sum(axis=1, keepdims=True)
    prior, scaled, last = np.full(n_speakers, 1.0 / n_speakers), projected * np.sqrt(between), -np.inf
    ratio = acoustic / speaker
    for _ in range(rounds):
        spread = 1.0 / (1.0 + ratio * chance.sum(axis=0)[:, None] * between)  # (S, k)
        voice = ratio * spread * (chance.T @ scaled)
        log_p = acoustic * (scaled @ voice.T - 0.5 * (spread + voice**2) @ between)
        chance, prior, total = forward_backward(log_p, prior, loop)
        bound = total + 0.5 * speaker * float(np.sum(np.log(spread) - spread - voice**2 + 1.0))
        if bound - last < 1e-3:
            break
        last = bound
    return chance
