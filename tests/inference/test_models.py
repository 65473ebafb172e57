"""The shipped models: what the engine computes is what torch computed, and damage is noticed."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from voicelane.base import ModelError
from voicelane.inference import Model, installed, load_arrays, models_folder, onnx, parts, save_arrays, verify
from voicelane.inference.manifest import read_manifest, read_part

EXAMPLES = ROOT / "rt_models" / "artifacts"  # not installed with the models
SHIPPED = [folder.name for folder in installed()]
LOADED = {"scale.npz", "calibration.toml", "space.npz", "weights.npz"}
PARTS = [str(part.relative_to(models_folder())) for folder in installed() for part in parts(folder)]


def test_the_two_models_of_the_default_settings_are_shipped():
    assert {"conv_transformer", "vad"} <= set(SHIPPED)


@pytest.mark.parametrize("name", PARTS)
def test_the_engine_computes_what_torch_computed(name):
    folder = models_folder() / name
    model = Model(folder)
    with np.load(EXAMPLES / name / "io.npz", allow_pickle=False) as kept:
        inputs = {k: kept[k] for k in model.manifest.inputs}
        found, _ = model.step(inputs, {k: kept[k] for k in model.manifest.state})
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


@pytest.mark.parametrize("name", ["scale.npz", "calibration.toml"])
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
        loaded = {p.name for p in folder.iterdir()} & LOADED
        assert loaded == set(read_manifest(folder).files), folder
        for part in parts(folder)[1:]:
            leaves_out = b"location" in (part / "model.onnx").read_bytes()  # arrays
            assert set(read_manifest(part).shared) == ({"weights.npz"} if leaves_out else set()), part


def test_a_part_that_shares_the_weights_of_its_model_notices_their_damage(tmp_path):
    folder = Path(shutil.copytree(models_folder() / "seed_conv_transformer", tmp_path / "seed"))
    assert not list(folder.glob("*/weights.npz"))
    verify(folder / "steps_4")
    (folder / "weights.npz").write_bytes((folder / "weights.npz").read_bytes()[:-1] + b"x")
    for place in parts(folder):
        with pytest.raises(ModelError, match=r"weights\.npz.*damaged or swapped"):
            verify(place)
        with pytest.raises(ModelError, match=r"weights\.npz.*damaged or swapped"):
            Model(place)


@pytest.mark.parametrize("bits", [1, 10, 22, 23])
def test_kept_weights_come_back_as_near_as_their_bits_allow(bits, rng, tmp_path):
    arrays = {
        "matrix": (rng.standard_normal((7, 5)) * 10.0 ** rng.integers(-9, 9, (7, 5))).astype(np.float32).T,
        "row": np.array([0.0, -0.0, 1.0, -1.5, 2.0**-149, 1.0e38], np.float32),
        "number": np.float32(0.5).reshape(()),
    }
    save_arrays(tmp_path / "w.npz", arrays, bits)
    found = load_arrays((tmp_path / "w.npz").read_bytes())
    assert found.keys() == arrays.keys()
    for name, wanted in arrays.items():
        assert found[name].shape == wanted.shape and found[name].dtype == np.float32
        if bits == 23:
            np.testing.assert_array_equal(found[name], wanted)
        usual = np.abs(wanted) > 2.0**-126
        assert np.all(np.abs(found[name] - wanted)[usual] <= 2.0 ** -(bits + 1) * np.abs(wanted)[usual])


def test_arrays_of_others_are_taken_as_they_are(rng):
    plain, stored = rng.standard_normal((3, 4)).astype(np.float32), io.BytesIO()
    np.savez(stored, x=plain)
    np.testing.assert_array_equal(load_arrays(stored.getvalue())["x"], plain)


def test_a_stream_carries_its_state_and_two_share_their_weights_alone(rng):
    features = rng.standard_normal((2, 1, 40, 46)).astype(np.float32)
    model, twin = Model(models_folder() / "vad"), Model(models_folder() / "vad")
    assert model._session is twin._session
    wholes = [model.run(features=x)[0] for x in features]
    streams = [model.stream(), model.stream()]
    first = [s.run(features=x[:, :15])[0] for s, x in zip(streams, features, strict=True)]
    rest = [s.run(features=x[:, 15:])[0] for s, x in zip(streams, features, strict=True)]
    for whole, *pieces in zip(wholes, first, rest, strict=True):
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)
    streams[0].reset()
    np.testing.assert_array_equal(streams[0].run(features=features[0])[0], wholes[0])
