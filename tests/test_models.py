"""The shipped models: what the engine computes is what torch computed, and damage is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from engine import Model, ModelError, installed, models_folder, verify
from engine.inference import onnx
from engine.inference.manifest import read_manifest, read_part
from engine.inference.onnx import parts

SHIPPED = [folder.name for folder in installed()]
PARTS = [str(part.relative_to(models_folder())) for folder in installed() for part in parts(folder)]


def test_the_two_models_of_the_default_settings_are_shipped():
    assert {"conv_transformer", "vad"} <= set(SHIPPED)


@pytest.mark.parametrize("name", PARTS)
def test_the_engine_computes_what_torch_computed(name):
    folder = models_folder() / name
    model = Model(folder)
    with np.load(folder / "io.npz", allow_pickle=False) as kept:
        model._state = {k: kept[k] for k in model.manifest.state}
        found = model.run(**{k: kept[k] for k in model.manifest.inputs})
        for key, value in zip(model.manifest.outputs, found, strict=True):
            if model.manifest.settings.get("quantised"):  # 8 bits: not the numbers, but the direction
                assert np.vdot(value, kept[key]) > 0.98 * np.linalg.norm(value) * np.linalg.norm(kept[key])
            else:
                np.testing.assert_allclose(value, kept[key], atol=1e-4)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_has_a_card_and_is_small(name):
    folder = models_folder() / name
    assert (folder / "card.md").read_text().startswith("# ")
    assert all(p.stat().st_size < 20_000_000 for p in folder.rglob("*.*"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(models_folder() / "vad", tmp_path / "vad"))


def damaged(copy: Path, what: str) -> None:
    manifest, weights = copy / "manifest.toml", copy / "model.onnx"
    if what == "weights cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif what == "weights missing":
        weights.unlink()
    elif what == "weights swapped":
        shutil.copy(models_folder() / "conv_transformer" / "model.onnx", weights)
    elif what == "manifest missing":
        manifest.unlink()
    elif what == "manifest not TOML":
        manifest.write_text("name = [")
    elif what == "manifest of another version":
        manifest.write_text(manifest.read_text() + '\n[extra]\nfield = "x"\n')
    elif what == "another rate":
        manifest.write_text("sample_rate = 8000\n" + manifest.read_text())


@pytest.mark.parametrize(
    "what",
    [
        "weights cut",
        "weights missing",
        "weights swapped",
        "manifest missing",
        "manifest not TOML",
        "manifest of another version",
        "another rate",
    ],
)
def test_damage_is_one_clear_error_that_names_the_folder(copy, what):
    damaged(copy, what)
    with pytest.raises(ModelError, match="vad"):
        verify(copy)
        Model(copy)


def test_the_bytes_that_are_checked_are_the_bytes_that_are_loaded(copy, monkeypatch):
    """The file is read once: swapped right after that, it is not seen, and ONNX Runtime gets no path."""
    weights, read, given = copy / "model.onnx", Path.read_bytes, []

    def read_then_swap(path: Path) -> bytes:
        content = read(path)
        if path.name == weights.name:
            given.append(content)
            shutil.copy(models_folder() / "conv_transformer" / "model.onnx", path)
        return content

    opened = onnx.ort.InferenceSession
    monkeypatch.setattr(Path, "read_bytes", read_then_swap)
    monkeypatch.setattr(
        onnx.ort, "InferenceSession", lambda x, *a, **k: (given.append(x), opened(x, *a, **k))[1]
    )
    Model(copy)
    assert len(given) == 2 and given[0] is given[1]
    monkeypatch.undo()
    with pytest.raises(ModelError, match="swapped"):
        verify(copy)


@pytest.mark.parametrize("name", ["plda.npz", "calibration.toml"])
def test_every_file_that_the_engine_loads_is_in_the_manifest(tmp_path, name):
    folder = Path(shutil.copytree(models_folder() / "conv_transformer", tmp_path / "conv_transformer"))
    verify(folder)
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(ModelError, match=rf"{name}.*damaged or swapped"):
        verify(folder)
    with pytest.raises(ModelError, match=rf"{name}.*damaged or swapped"):
        read_part(folder, name)
    with pytest.raises(ModelError, match=r"its checksum is not in manifest\.toml"):
        read_part(folder, "another.npz")


def test_no_artifact_has_a_file_beside_its_weights_that_is_loaded_unchecked():
    for folder in installed():
        loaded = {p.name for p in folder.iterdir()} & {"plda.npz", "calibration.toml"}
        assert loaded == set(read_manifest(folder).files), folder


def test_state_is_carried_per_stream(rng):
    features = rng.standard_normal((1, 40, 46)).astype(np.float32)
    a, b = Model(models_folder() / "vad"), Model(models_folder() / "vad")
    whole = a.run(features=features)[0]
    parts = [b.run(features=features[:, :15])[0], b.run(features=features[:, 15:])[0]]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-5)
    a.reset()
    np.testing.assert_array_equal(a.run(features=features)[0], whole)
