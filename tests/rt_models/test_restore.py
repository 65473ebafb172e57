"""Training goes on from what is shipped: the restored network is the exported one, in training mode too."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("pyroomacoustics")

from voicelane.inference import find_model  # noqa: E402
from voicelane.rt_models.export.segmentation import export_segmentation  # noqa: E402
from voicelane.rt_models.nets.conv_transformer import ConvTransformer, ConvTransformerConfig  # noqa: E402
from voicelane.rt_models.nets.segmentation import SegmentationConfig, SegmentationNet  # noqa: E402
from voicelane.rt_models.training.restore import restore, restore_segmentation  # noqa: E402
from voicelane.rt_models.training.voice import fit_voice  # noqa: E402


class Crops:
    """A sampler of columns as loud and as smooth as those of speech."""

    def batch(self, size: int, rng: np.random.Generator) -> SimpleNamespace:
        steps = rng.standard_normal((size, 160, 80)).cumsum(axis=1) * 0.3
        return SimpleNamespace(columns=(steps - steps.mean(axis=1, keepdims=True)).astype(np.float32))


def test_the_restored_network_is_the_shipped_one_and_trains_from_there(tmp_path):
    path, crops = tmp_path / "start.pt", Crops()
    assert restore(find_model("conv_transformer", "encoder"), crops, path) < 1e-5
    net = ConvTransformer(ConvTransformerConfig())
    net.load_state_dict(torch.load(path, weights_only=True)["net"])
    columns = torch.from_numpy(crops.batch(64, np.random.default_rng(50)).columns)
    with torch.no_grad():
        still, training = net.eval()(columns), net.train()(columns)
    assert (still * training).sum(dim=1).mean() > 0.9  # statistics of this batch instead of all


def test_the_restored_segmentation_is_the_shipped_one(tmp_path):
    path = tmp_path / "start.pt"
    assert restore_segmentation(find_model("segmentation", "segmentation"), path) < 1e-4
    with pytest.raises(ValueError, match="no segmentation"):
        restore_segmentation(find_model("conv_transformer", "encoder"), tmp_path / "other.pt")
    assert not (tmp_path / "other.pt").exists()
    net = SegmentationNet(SegmentationConfig()).eval()
    net.load_state_dict(torch.load(path, weights_only=True)["net"])
    assert export_segmentation(net, tmp_path / "again", "1") < 1e-4


def test_another_network_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no conv-transformer"):
        restore(find_model("lstm", "encoder"), Crops(), tmp_path / "start.pt")
    assert not (tmp_path / "start.pt").exists()


def test_the_ratio_of_a_voice_is_calibrated():
    rng = np.random.default_rng(0)
    mean = np.array([0.3, 0.0, 0.0])
    speech, noise = mean + rng.standard_normal((4000, 3)), rng.standard_normal((1000, 3)) - mean
    weights = fit_voice(speech, noise)
    np.testing.assert_allclose(weights, [0.6, 0.0, 0.0, 0.0], atol=0.12)
