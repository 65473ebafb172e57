"""Model folders with rounded weights in one file."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from voicelane.config import EncoderConfig
from voicelane.inference import INITIALISERS_NAME
from voicelane.stages import load_encoder

pytest.importorskip("torch")

from tests.rt_models.toys import SMALL_NETS
from voicelane.rt_models.export.compact import compact
from voicelane.rt_models.export.encoder import export_encoder
from voicelane.rt_models.nets.registry import build

pytestmark = pytest.mark.torch


@pytest.mark.slow
def test_an_encoder_keeps_its_tokens_and_its_space(tmp_path):
    """Its two graphs have no weights in common: those of the first part stay where they are."""
    folder, before = tmp_path / "toy", tmp_path / "before"
    export_encoder(build(SMALL_NETS[0]).eval(), np.zeros(80), folder, "0")
    shutil.copytree(folder, before)
    assert compact(folder) <= 5e-5
    assert (folder / INITIALISERS_NAME).stat().st_size > 1_000
    for name in ("model.onnx", "manifest.toml"):
        assert (folder / "tokens" / name).read_bytes() == (before / "tokens" / name).read_bytes()
    small, whole = (load_encoder(EncoderConfig(model=str(f))) for f in (folder, before))
    columns = np.random.default_rng(0).standard_normal((160, 80)).astype(np.float32)
    vectors = [e.embed(e.tokens(columns)) for e in (small, whole)]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-3)
    assert small.id == whole.id and not np.array_equal(*vectors)
