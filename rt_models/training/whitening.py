"""The common mean of all voices taken off an encoder's output and its directions evened out, for nothing.

Both are linear, so they are folded into the network's last layer.
"""

from __future__ import annotations

import numpy as np
import torch

from voicelane.rt_models.nets.registry import SpeakerNet
from voicelane.rt_models.training.batches import CropSampler


@torch.inference_mode()
def whiten(net: SpeakerNet, sampler: CropSampler, power: float, n_crops: int = 9600, seed: int = 0) -> None:
    """Centre the embeddings of training crops and divide each principal direction by its variance^`power`.

    `net.out` must be the linear layer whose output is the embedding before its length is taken off.
    """
    found: list[torch.Tensor] = []
    hook = net.out.register_forward_hook(lambda layer, taken, given: found.append(given))
    net.eval()
    device = net.out.weight.device
    for k in range(max(1, n_crops // 64)):
        batch = sampler.batch(64, np.random.default_rng((seed, k)))
        net(torch.from_numpy(batch.columns).to(device))
    hook.remove()
    x = torch.cat(found).double()
    mean = x.mean(dim=0)
    variance, axes = torch.linalg.eigh(torch.cov((x - mean).T))
    even = axes * variance.clamp(min=1e-3 * float(variance.max())) ** -power @ axes.T
    net.out.weight.copy_(even @ net.out.weight.double())
    net.out.bias.copy_(even @ (net.out.bias.double() - mean))
