"""Arrays that a graph leaves out, by name, in one file for the graphs of a model that share them.

An array of float32 may be kept rounded and as its bytes, the first of all numbers before the second: rounded
bytes are 0 and the bytes of exponents are alike, which a ZIP file packs and mixed bytes are not.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

MANTISSA_BITS = 23


def save_arrays(path: Path, arrays: dict[str, np.ndarray], mantissa_bits: int) -> None:
    """Write float32 arrays of any shapes, rounded to that many of 23 bits behind the leading one."""
    planes = {name: _planes(rounded(a, mantissa_bits)) for name, a in arrays.items()}
    np.savez_compressed(path, allow_pickle=False, **planes)


def load_arrays(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of a file of `save_arrays`, or of a plain .npz; raises what numpy raises for damage."""
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    return {name: _numbers(a) if a.dtype == np.uint8 else a for name, a in arrays.items()}


def rounded(x: np.ndarray, mantissa_bits: int) -> np.ndarray:
    """The nearest float32 whose last 23 − `mantissa_bits` bits are 0, of finite float32; ties go to even."""
    if mantissa_bits == MANTISSA_BITS:
        return x
    drop = MANTISSA_BITS - mantissa_bits
    bits = x.view(np.uint32)
    half = np.uint32((1 << (drop - 1)) - 1) + ((bits >> drop) & 1)
    return (((bits + half) >> drop) << drop).view(np.float32)


def _planes(x: np.ndarray) -> np.ndarray:
    """float32 of a shape → its bytes, uint8 (4, *shape)."""
    return np.moveaxis(np.array(x, "<f4", order="C")[..., None].view(np.uint8), -1, 0)


def _numbers(planes: np.ndarray) -> np.ndarray:
    """Bytes uint8 (4, *shape) → float32 of the shape."""
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view("<f4")[..., 0]
