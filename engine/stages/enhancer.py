"""Embeddings of noisy speech made more like those of clean speech, with a confidence for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from voicelane.base.errors import ModelError
from voicelane.base.stopwatch import Stopwatch
from voicelane.config import EnhancerConfig
from voicelane.events import EnhancerFellBack
from voicelane.inference.manifest import Manifest, read_manifest
from voicelane.inference.onnx import Model, find_model, installed
from voicelane.stages.encoder import Embedding, Segmented, SegmentStart, SpeakerEncoder
from voicelane.stages.segmenter import Window

SEED = 0
METHODS = ("seed", "mlp")


class Enhancer:
    """A network that takes unit vectors of one encoder and gives cleaner ones.

    SEED's network takes noise beside them: none for the vector itself, and `draws` fixed noises whose
    results tell by their spread how sure it is. The manifest's `confidence` (bias, weight of the movement,
    weight of the spread) gives from both, as cosine distances, the cosine that is to be expected between
    the enhanced vector and that of clean speech.
    """

    def __init__(self, model: Model, draws: int, stopwatch: Stopwatch | None = None) -> None:
        self._model, self._timed = model, stopwatch or Stopwatch()
        settings = model.manifest.settings
        self.name, self.dim = model.manifest.name, int(settings["dim"])
        self.id = f"{self.name} {model.manifest.space[:12]}"
        self._confidence = np.array(settings["confidence"])
        noise = np.random.default_rng(SEED).standard_normal((draws, self.dim)).astype(np.float32)
        self._noise = np.concatenate((np.zeros((1, self.dim), np.float32), noise))
        self._noisy = "noise" in model.manifest.inputs

    def enhance(self, vector: np.ndarray) -> tuple[np.ndarray, float]:
        """The unit vector float32 (dim,) of a unit vector (dim,), and its confidence 0 … 1.

        Raises `ModelError` for another shape, for numbers that are none, and where the network gives such.
        """
        if vector.shape != (self.dim,):
            raise ModelError(f"{self.name}: expected an embedding of shape ({self.dim},), got {vector.shape}")
        if not np.isfinite(vector).all():
            raise ModelError(f"{self.name}: the embedding holds numbers that are not finite")
        if abs(np.linalg.norm(vector) - 1.0) > 1e-3:
            raise ModelError(
                f"{self.name}: expected a unit vector, got one of length {np.linalg.norm(vector):.3g}"
            )
        with self._timed("enhancer"):
            found = self._enhanced(np.asarray(vector, np.float32))
        if found.shape[1:] != (self.dim,) or not np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-3):
            raise ModelError(f"{self.name}: the network gave no unit vector; reinstall the model")
        moved, spread = 1.0 - float(found[0] @ vector), 1.0 - float(np.mean(found[1:] @ found[0]))
        expected = self._confidence @ (1.0, moved, spread)
        return found[0], float(np.clip(expected, 0.0, 1.0))

    def _enhanced(self, vector: np.ndarray) -> np.ndarray:
        """float32 (1 + draws, dim): without noise, then with each of the noises (the same for a plain
        network, which takes none)."""
        if not self._noisy:
            return self._model.run(embedding=vector[None])[0].repeat(len(self._noise), axis=0)
        rows = np.tile(vector, (len(self._noise), 1))
        return self._model.run(embedding=rows, noise=self._noise)[0]


def load_enhancer(
    config: EnhancerConfig, encoder: SpeakerEncoder, stopwatch: Stopwatch | None = None
) -> Enhancer | None:
    """The enhancer that the settings name, None for `off`.

    Raises `ModelError` where it is missing, damaged, or was trained for another encoder.
    """
    if config.model == "off":
        return None
    folder = find_enhancer(config.model, encoder)
    if config.steps:
        folder = _with_steps(folder, config.steps)
    model = Model(folder)
    _check(model.manifest, encoder)
    return Enhancer(model, config.draws, stopwatch)


def find_enhancer(name: str, encoder: SpeakerEncoder) -> Path:
    """The installed enhancer of the method `name` (`seed` or `mlp`) for the encoder, or the model of that
    name; raises `ModelError`."""
    if name not in METHODS:
        return find_model(name, "enhancer")
    made_for = {}
    for folder in installed():
        manifest = read_manifest(folder)
        if manifest.kind == "enhancer" and manifest.settings.get("method") == name:
            made_for[manifest.settings.get("encoder_id")] = folder
    if encoder.id not in made_for:
        known = ", ".join(str(read_manifest(f).settings.get("encoder")) for f in made_for.values())
        raise ModelError(
            f"no {name} enhancer is installed for the encoder {encoder.name} (there is one for: "
            f"{known or 'none'}); train one with "
            f"`python -m voicelane.rt_models.training seed --encoder {encoder.name}`"
        )
    return made_for[encoder.id]


def _with_steps(folder: Path, steps: int) -> Path:
    """The graph of another number of steps, inside the model's folder."""
    manifest = read_manifest(folder)
    if manifest.settings.get("steps") == steps:
        return folder
    found = folder / f"steps_{steps}"
    if not found.is_dir():
        shipped = sorted({p.name.removeprefix("steps_") for p in folder.glob("steps_*")}, key=int)
        raise ModelError(
            f"{manifest.name}: has no graph of {steps} steps, only of "
            f"{', '.join([str(manifest.settings.get('steps', 1)), *shipped])}; change enhancer.steps"
        )
    return found


def _check(manifest: Manifest, encoder: SpeakerEncoder) -> None:
    settings = manifest.settings
    if missing := {"dim", "encoder", "encoder_id", "confidence"} - settings.keys():
        raise ModelError(
            f"{manifest.name}: its manifest lacks settings.{', settings.'.join(sorted(missing))}"
        )
    if settings["encoder_id"] != encoder.id:
        raise ModelError(
            f"{manifest.name}: was trained for the encoder {settings['encoder']} "
            f"({settings['encoder_id'][:12]}…), not for {encoder.name} ({encoder.id[:12]}…)"
        )
    weights = settings["confidence"]
    if not (isinstance(weights, list) and len(weights) == 3 and all(map(np.isreal, weights))):
        raise ModelError(f"{manifest.name}: settings.confidence: expected three numbers, got {weights}")
    if settings["dim"] != encoder.dim:
        raise ModelError(
            f"{manifest.name}: expected embeddings of {settings['dim']} numbers, "
            f"{encoder.name} gives {encoder.dim}"
        )


Item = Segmented | Window


class EnhancerStage:
    """`Segmented` items or windows in and out, every embedding enhanced; without an enhancer they pass as
    they are.

    An enhancer that cannot be loaded (`problem`), or that fails on the way, is announced once by an
    `EnhancerFellBack`; from then on the embeddings stay raw.
    """

    longest_delay_samples = 0

    def __init__(self, enhancer: Enhancer | None, problem: str = "") -> None:
        self._loaded, self._trouble = enhancer, problem
        self.reset()

    def reset(self) -> None:
        self._enhancer, self._problem = self._loaded, self._trouble

    def process(self, items: Sequence[Item]) -> list[Item | EnhancerFellBack]:
        return [found for item in items for found in self._take(item)]

    def flush(self) -> list[Item | EnhancerFellBack]:
        """Nothing waits."""
        return []

    def enhance(self, heard: Embedding) -> Embedding:
        """An embedding as it comes out; the raw one once the enhancer has failed."""
        if self._enhancer:
            try:
                vector, confidence = self._enhancer.enhance(heard.vector)
                return replace(heard, vector=vector, confidence=confidence, raw=heard.vector)
            except ModelError as problem:
                self._enhancer, self._problem = None, str(problem)
        return heard

    def _take(self, item: Item) -> Iterator[Item | EnhancerFellBack]:
        if isinstance(item, Embedding):
            item = self.enhance(item)
        elif isinstance(item, Window):
            pieces = (replace(p, heard=p.heard and self.enhance(p.heard)) for p in item.pieces)
            item = replace(item, pieces=tuple(pieces))
        if self._problem:
            place = item.start if isinstance(item, SegmentStart) else item.end
            yield EnhancerFellBack(place, f"{self._problem}; embeddings stay as the encoder gives them")
            self._problem = ""
        yield item
