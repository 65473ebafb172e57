"""Everything beside an encoder that decisions are taken by, from one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from voicelane import PipelineConfig
from voicelane.config import EncoderConfig
from voicelane.inference import rounded
from voicelane.rt_models.export.onnx import record_files
from voicelane.rt_models.training.calibration import CalibrationConfig, calibrate, write_calibration
from voicelane.rt_models.training.corpus import Prepared
from voicelane.rt_models.training.scale import fit_scale
from voicelane.rt_models.training.sessions import SessionConfig, Sessions
from voicelane.rt_models.training.voice import fit_voice, noise_pieces
from voicelane.stages import load_encoder

NAME = "scale.npz"
SCALE_BITS = 11
"""Behind the leading one, of 23: a fit to some hundred voices is worth no more."""


def calibrate_encoder(
    model: str,
    data: Prepared,
    folder: Path,
    sessions: SessionConfig,
    trials: CalibrationConfig,
) -> None:
    """Write `scale.npz` (voices of one session), `calibration.toml` and `cohort.npy` (an enrolled voice and
    one heard later) into the folder of an encoder, with their checksums."""
    config = PipelineConfig(encoder=EncoderConfig(model=model))
    write_scale(model, data, folder, sessions)
    content, cohort = calibrate(config, data, trials)
    write_calibration(content, cohort, folder)


def write_scale(model: str, data: Prepared, folder: Path, config: SessionConfig) -> None:
    """Let the encoder hear simulated sessions, and fit how it tells their people apart."""
    encoder = load_encoder(EncoderConfig(model=model))
    drawn = Sessions(encoder, data, config)
    heard = [drawn.hear(k) for k in tqdm(range(config.sessions), unit="session", disable=None)]
    noise, _ = noise_pieces(encoder, data.noises, config)
    voice = fit_voice(np.concatenate([s.vectors for s in heard]), noise)
    save_scale(fit_scale(heard, config.seed) | {"voice": voice}, encoder.id, folder)


def save_scale(arrays: dict[str, np.ndarray], encoder_id: str, folder: Path) -> None:
    """`scale.npz` in float32 of `SCALE_BITS`, its checksum in the folder's manifest."""
    small = {name: rounded(array.astype(np.float32), SCALE_BITS) for name, array in arrays.items()}
    np.savez_compressed(folder / NAME, encoder_id=np.array(encoder_id), **small)  # type: ignore[arg-type]
    record_files(folder, NAME)


def seeded(
    sessions: SessionConfig, trials: CalibrationConfig, seed: int
) -> tuple[SessionConfig, CalibrationConfig]:
    """Both with one seed."""
    return replace(sessions, seed=seed), replace(trials, seed=seed)
