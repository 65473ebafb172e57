"""What the trainings of networks for sound share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from voicelane.rt_models.training.corpus import Prepared
    from voicelane.rt_models.training.data import AudioCache


@pytest.fixture
def data(cache: AudioCache, tmp_path: Path) -> Prepared:
    """Twelve utterances, a room and a noise."""
    from voicelane.rt_models.training.corpus import Prepared

    rng = np.random.default_rng(0)
    room = (rng.standard_normal(800) * np.exp(-np.arange(800) / 100)).astype("f4")
    return Prepared(cache, [room], [rng.standard_normal(20_000).astype("f4")], tmp_path)
