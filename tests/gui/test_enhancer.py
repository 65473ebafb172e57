"""The map of voices before and after the enhancer, as a real pipeline hears the demo conversation."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("PySide6")

from PySide6.QtCore import QPoint, Qt

from tests.conftest import DEMO
from voicelane import Pipeline, PipelineConfig
from voicelane.config import EnhancerConfig
from voicelane.gui.model.sound import SoundHistory
from voicelane.live import Sound

pytestmark = pytest.mark.qt


def shown_points(window) -> np.ndarray:
    """Places (n, 2) of all points of the map."""
    window.listen.map.refresh()
    return np.stack(window.listen.map.points.getData(), axis=1)


def test_the_switch_shows_the_same_voices_as_they_were_before_the_enhancer(window, said, qtbot):
    sound = sf.read(DEMO, dtype="float32")[0][: 40 * 16_000]
    pipeline = Pipeline(PipelineConfig(enhancer=EnhancerConfig(model="mlp")), voices=True)
    conversation, history, switch = window.studio.conversation, SoundHistory(), window.listen.map.raw
    history.hear(Sound(0, sound))
    conversation.begin("talk", history)
    conversation.take([*pipeline.push(sound), *pipeline.flush()])
    after, before = conversation.voices.vectors(), conversation.voices.vectors(raw=True)
    assert len(after) == len(before) > 50

    enhanced = shown_points(window)
    assert switch.isEnabled() and not switch.isChecked()
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(8, switch.height() // 2))
    plain = shown_points(window)
    assert switch.isChecked() and plain.shape == enhanced.shape == (len(after), 2)
    assert np.abs(plain - enhanced).max() > 0.1
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(8, switch.height() // 2))
    np.testing.assert_allclose(shown_points(window), enhanced, atol=1e-6)

    conversation.begin("without an enhancer", history)
    conversation.take(said)
    np.testing.assert_allclose(conversation.voices.vectors(), before, atol=1e-5)
    shown_points(window)
    assert not switch.isEnabled()
