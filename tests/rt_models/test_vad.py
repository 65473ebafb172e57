"""Training of the voice activity detector on simulated conversations."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane.inference import Model
from voicelane.stages import VadEvidence

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from voicelane.rt_models.training import conversations  # noqa: E402
from voicelane.rt_models.training.vad import VadTrainConfig, evidence, train  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_simulated_conversation_is_where_its_reference_says(cache):
    rng = np.random.default_rng(5)
    voices = {f"s{k}": [cache.audio(i) for i in range(4 * k, 4 * k + 4)] for k in range(3)}
    said = conversations.converse(voices, 30.0, conversations.ConversationConfig(), rng)
    spoken = np.any(list(said.active.values()), axis=0)
    frames = said.samples[: len(spoken) * 320].reshape(-1, 320)
    level = np.mean(frames**2, axis=1)
    assert 0.2 < spoken.mean() < 1.0
    assert level[spoken].mean() > 30 * level[~spoken].mean()


def test_vad_training_sees_what_the_live_detector_sees(speech):
    found = evidence(speech[:32_000])
    assert found.shape == (100, 46)
    evidence_again = VadEvidence()
    assert evidence_again.latency_samples == 0


@pytest.mark.slow
def test_a_toy_vad_learns(rng):
    speech = np.repeat(rng.random((6, 30)) < 0.5, 20, axis=1)
    features = rng.standard_normal((6, 600, 46)).astype(np.float32) + 2.0 * speech[..., None].astype(
        np.float32
    )
    net = train(VadTrainConfig(steps=80, batch=6, frames=300), features, speech)
    with torch.inference_mode():
        logits = net(torch.from_numpy(features), net.silence(6))[0].numpy()[:, 8:]
    assert np.mean((logits > 0) == speech[:, :-8]) > 0.9


def test_a_run_that_was_killed_goes_on_exactly(tmp_path, rng):
    speech = rng.random((4, 100)) < 0.5
    features = rng.standard_normal((4, 100, 46)).astype(np.float32)
    config = VadTrainConfig(steps=252, batch=2, frames=30)
    whole = train(config, features, speech)
    train(config, features, speech, tmp_path / "parts.pt", stop_after=250)
    resumed = train(config, features, speech, tmp_path / "parts.pt")
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_the_exported_vad_keeps_its_state(tmp_path):
    from voicelane.rt_models.export.vad import export_vad
    from voicelane.rt_models.nets.vad import VadNet, VadNetConfig

    assert export_vad(VadNet(VadNetConfig()), tmp_path / "vad", "0") <= 1e-4
    assert Model(tmp_path / "vad").manifest.latency_samples == 8 * 320
