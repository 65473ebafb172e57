"""Sound and models that tests share; nothing here needs the corpus or a device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

DEMO = Path(__file__).parents[1] / "engine" / "demo" / "conversation.opus"


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """The first 20 s of the bundled conversation, float32 at 16 kHz."""
    return sf.read(DEMO, dtype="float32")[0][: 20 * 16_000]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
