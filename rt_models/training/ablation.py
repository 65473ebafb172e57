"""Variations of the encoder's recipe, one change at a time, trained with one budget and measured alike."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from voicelane.config import EncoderConfig
from voicelane.rt_models.export.encoder import export_encoder
from voicelane.rt_models.nets.registry import NetConfig, build
from voicelane.rt_models.training import corpus
from voicelane.rt_models.training.encoder import TrainConfig, train
from voicelane.rt_models.training.evaluate import TrialSet
from voicelane.stages import load_encoder

Change = Callable[[TrainConfig], TrainConfig]


def net(**sizes: object) -> Change:
    return lambda c: replace(c, net=NetConfig(c.net.kind, c.net.sizes | sizes))


def losses(**weights: Any) -> Change:
    return lambda c: replace(c, losses=replace(c.losses, **weights))


def crops(**choices: Any) -> Change:
    return lambda c: replace(c, crops=replace(c.crops, **choices))


def both(*changes: Change) -> Change:
    def change(c: TrainConfig) -> TrainConfig:
        for one in changes:
            c = one(c)
        return c

    return change


NO_TEACHER = {"distillation": 0.0, "relational": 0.0, "contrastive": 0.0, "frames": 0.0}
AS_STORED = crops(noise=0.0, babble=0.0, equaliser=0.0, fresh=1.0)
VARIATIONS: dict[str, Change] = {
    "base": lambda c: c,
    "without frame features": losses(frames=0.0),
    "without contrast": losses(contrastive=0.0),
    "GE2E alone": both(losses(**NO_TEACHER, ge2e=1.0), crops(utterances_per_speaker=4)),
    "GE2E and distillation": both(losses(ge2e=0.5), crops(utterances_per_speaker=4)),
    "own utterance as target": lambda c: replace(c, copies=replace(c.copies, speaker_mean=0.0)),
    "log-mel as stored": AS_STORED,
    "log-mel and phase as stored": both(AS_STORED, net(in_channels=3)),
    "mean pooling": net(pooling="mean"),
    "width 128": net(width=128, feed_forward=512),
    "width 256": net(width=256, feed_forward=1024),
}
"""Phase features cannot be mixed with noise in the power domain, so they are compared on crops as the
shards hold them."""


def measure(
    base: TrainConfig, data: corpus.Prepared, teacher: Path | None, trials: Path, root: Path, only: str | None
) -> None:
    """Train every variation (or `only` those whose names hold this text); prints a line of JSON for each."""
    dev: dict[bool, TrialSet] = {}
    for name, change in VARIATIONS.items():
        if only and only not in name:
            continue
        config = change(base)
        sizes = build(config.net).config
        phase = sizes.in_channels == 3
        sampler = corpus.sampler(data, teacher, config.copies, config.crops, sizes.n_mels, phase)
        with tempfile.TemporaryDirectory() as folder:
            trained = train(config, sampler, Path(folder) / "run.pt")
            export_encoder(trained, sampler.prior, Path(folder) / "model", "0")
            milliseconds = window_ms(Path(folder) / "model")
        if phase not in dev:
            dev[phase] = TrialSet(trials, root, sampler.prior, sizes.n_mels, most=10_000)
        eer = dev[phase].error_rate(trained)
        parameters = sum(p.numel() for p in trained.parameters())
        result = {"name": name, "eer": round(eer, 2), "ms": milliseconds, "parameters": parameters}
        print(json.dumps(result), flush=True)


def window_ms(folder: Path, repeats: int = 100) -> float:
    """Median milliseconds for a window of 1.6 s."""
    encoder, taken = load_encoder(EncoderConfig(model=str(folder))), []
    columns = np.random.default_rng(0).standard_normal((160, encoder.n_bands)).astype(np.float32)
    for _ in range(repeats):
        began = time.perf_counter()
        encoder.embed(encoder.tokens(columns))
        taken.append(1e3 * (time.perf_counter() - began))
    return round(float(np.median(taken)), 2)
