"""A checkpoint of an exported network, so that its training can go on from what is shipped.

The export of a conv-transformer folds every batch normalisation into the convolution before it. They are put
back with the statistics of training crops, so that the network is the same in evaluation mode and all but the
same in training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from voicelane.inference import Model
from voicelane.rt_models.export.compact import load_graph
from voicelane.rt_models.nets.conv_transformer import ConvTransformer, ConvTransformerConfig
from voicelane.rt_models.nets.segmentation import SegmentationConfig, SegmentationNet
from voicelane.rt_models.training.batches import CropSampler

TOLERANCE = 1e-4


def restore(folder: Path, sampler: CropSampler, checkpoint: Path) -> float:
    """Write the checkpoint of a model folder; returns the largest difference of an embedding.

    Raises `ValueError` where the folder holds another network.
    """
    crops = [torch.from_numpy(sampler.batch(64, np.random.default_rng(k)).columns) for k in range(8)]
    net = rebuilt(folder, crops)
    torch.save({"net": net.state_dict()}, checkpoint)
    return _difference(net, folder)


def rebuilt(folder: Path, crops: list[Tensor]) -> ConvTransformer:
    """The network of a model folder, its normalisations with the statistics of crops (B, T, 80).

    Raises `ValueError` where the folder holds another network.
    """
    net = ConvTransformer(ConvTransformerConfig()).eval()
    if not (folder / "tokens").is_dir():
        raise ValueError(f"{folder}: no conv-transformer, which has its tokens in a folder of their own")
    weights = _weights(folder / "tokens") | _weights(folder)
    wanted = {n for n, _ in net.named_parameters() if not _of_normalisation(net, n)}
    if missing := sorted(wanted - weights.keys()):
        raise ValueError(f"{folder}: no conv-transformer of the shipped sizes, lacks {missing[0]}")
    net.load_state_dict({n: weights[n] for n in wanted}, strict=False)
    _unfold(net, crops)
    if (worst := _difference(net, folder)) > TOLERANCE:
        raise ValueError(f"{folder}: the network restored from it differs by {worst:.1e}")
    return net


def restore_segmentation(folder: Path, checkpoint: Path) -> float:
    """Write the checkpoint of a segmentation network; returns the largest difference of a logit.

    Raises `ValueError` where the folder holds another network.
    """
    net = SegmentationNet(SegmentationConfig()).eval()
    weights = _weights(folder) | _recurrent(load_graph(folder).graph)
    wanted = dict(net.named_parameters())
    if wrong := sorted(n for n, p in wanted.items() if n not in weights or weights[n].shape != p.shape):
        raise ValueError(f"{folder}: no segmentation of the shipped sizes, lacks {wrong[0]}")
    net.load_state_dict({n: weights[n] for n in wanted})
    log_mel = np.random.default_rng(0).standard_normal((1, 500, net.config.n_mels)).astype(np.float32)
    (logits,) = Model(folder).run(log_mel=log_mel)
    with torch.inference_mode():
        worst = float(np.abs(logits - net(torch.from_numpy(log_mel)).numpy()).max())
    if worst > TOLERANCE:
        raise ValueError(f"{folder}: the network restored from it differs by {worst:.1e}")
    torch.save({"net": net.state_dict()}, checkpoint)
    return worst


def _recurrent(graph: onnx.GraphProto) -> dict[str, Tensor]:
    """Parameters of the LSTM layers, whose gates ONNX has in the order i, o, f, c and torch in i, f, c, o."""
    values = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    found = {}
    for layer, node in enumerate(n for n in graph.node if n.op_type == "LSTM"):
        inner, recurrent, biases = (values[name] for name in node.input[1:4])
        b_inner, b_recurrent = biases.chunk(2, dim=1)
        parts = {"weight_ih": inner, "weight_hh": recurrent, "bias_ih": b_inner, "bias_hh": b_recurrent}
        for name, both in parts.items():
            for suffix, part in zip(("", "_reverse"), both, strict=True):
                i, o, f, c = part.chunk(4)
                found[f"memory.{name}_l{layer}{suffix}"] = torch.cat([i, f, c, o])
    return found


def _weights(folder: Path) -> dict[str, Tensor]:
    """Parameters by their names in torch; a matrix has lost its name, its bias has not."""
    graph = load_graph(folder).graph
    values = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    found = {n.removeprefix("net."): v for n, v in values.items() if "::" not in n}
    products = {n.output[0]: n.input[1] for n in graph.node if n.op_type == "MatMul"}
    for node in (n for n in graph.node if n.op_type == "Add"):
        for product, bias in (node.input, reversed(node.input)):
            if products.get(product) in values and bias in values and "::" not in bias:
                name = bias.removeprefix("net.").removesuffix("bias") + "weight"
                found[name] = values[products[product]].T.contiguous()
    scores = [v for n, v in values.items() if n in products.values() and v.ndim == 2]
    return found | {f"pool.score.{k}.weight": m.T.contiguous() for k, m in _scores(scores).items()}


def _scores(matrices: list[Tensor]) -> dict[int, Tensor]:
    """The two layers of the pooling by their shapes, which no other matrix has."""
    shapes = {0: (768, 96), 2: (96, 768)}
    return {k: m for k, shape in shapes.items() for m in matrices if tuple(m.shape) == shape}


def _normalisations(net: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(n, m) for n, m in net.named_modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]


def _of_normalisation(net: nn.Module, parameter: str) -> bool:
    return any(parameter.startswith(f"{name}.") for name, _ in _normalisations(net))


@torch.inference_mode()
def _unfold(net: ConvTransformer, crops: list[Tensor]) -> None:
    """Statistics of what reaches each normalisation, undone by its scale and bias."""
    for _, layer in _normalisations(net):
        assert isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
        heard: list[Tensor] = []
        hook = layer.register_forward_hook(lambda _layer, taken, _given, to=heard: to.append(taken[0]))
        for crop in crops:
            net(crop)
        hook.remove()
        variance, mean = torch.var_mean(torch.cat([h.transpose(0, 1).flatten(1) for h in heard], 1), dim=1)
        assert layer.running_mean is not None and layer.running_var is not None
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)
        layer.weight.copy_((variance + layer.eps).sqrt())
        layer.bias.copy_(mean)


@torch.inference_mode()
def _difference(net: ConvTransformer, folder: Path) -> float:
    columns = np.random.default_rng(0).standard_normal((1, 160, 80)).astype(np.float32)
    (tokens,) = Model(folder / "tokens").run(columns=columns)
    (embedding,) = Model(folder).run(tokens=tokens)
    return float(np.abs(embedding - net(torch.from_numpy(columns)).numpy()).max())
