"""A source that is read, as one that speaks up by itself."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from tests.live.test_pauses import until
from voicelane import ArraySource
from voicelane.base import AudioError
from voicelane.live.feeder import Feeder


def fed(source: ArraySource, has_room=lambda: True) -> tuple[Feeder, list[np.ndarray]]:
    blocks: list[np.ndarray] = []
    feeder = Feeder(source, has_room)
    feeder.start(blocks.append)
    return feeder, blocks


def test_everything_comes_in_order_and_the_end_is_told():
    sound = np.linspace(-0.5, 0.5, 10_000, dtype=np.float32)
    feeder, blocks = fed(ArraySource(sound))
    assert feeder.finished.wait(5)
    np.testing.assert_array_equal(np.concatenate(blocks)[:, 0], sound)
    assert feeder.take_problem() is None


def test_it_waits_for_room():
    room = threading.Event()
    feeder, blocks = fed(ArraySource(np.zeros(16_000)), room.is_set)
    time.sleep(0.1)
    assert not blocks and not feeder.finished.is_set()
    room.set()
    assert feeder.finished.wait(5) and sum(map(len, blocks)) == 16_000


def test_real_time_takes_its_time_and_a_pause_does_not_count():
    feeder, blocks = fed(ArraySource(np.zeros(16_000), realtime=True))
    began = time.monotonic()
    until(lambda: len(blocks) > 5)
    feeder.paused = True
    time.sleep(0.05)
    before = len(blocks)
    time.sleep(0.5)
    assert len(blocks) <= before + 1
    feeder.paused = False
    assert feeder.finished.wait(5)
    assert 1.4 < time.monotonic() - began < 2.5 and sum(map(len, blocks)) == 16_000


def test_closing_ends_the_reading_whatever_it_waits_for():
    for pause in (False, True):
        feeder, blocks = fed(ArraySource(np.zeros(160_000), realtime=True))
        feeder.paused = pause
        until(lambda blocks=blocks, pause=pause: pause or bool(blocks))
        began = time.monotonic()
        feeder.close()
        assert feeder.finished.is_set() and time.monotonic() - began < 1.0


def test_what_went_wrong_is_told_once():
    class Broken(ArraySource):
        def blocks(self):
            yield from list(super().blocks())[:3]
            raise AudioError("array: the file is damaged")

    feeder, blocks = fed(Broken(np.zeros(16_000)))
    assert feeder.finished.wait(5) and len(blocks) == 3
    with pytest.raises(AudioError, match="damaged"):
        raise feeder.take_problem()
    assert feeder.take_problem() is None
