"""The ring: what is read is what was written, what was lost is counted, nobody waits."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from voicelane.audio import Ring


def ramp(start: int, stop: int) -> np.ndarray:
    return np.arange(start, stop, dtype=np.float32)[:, None]


def test_any_window_is_one_contiguous_view():
    ring = Ring(100)
    for start in range(0, 1000, 37):
        ring.write(ramp(start, start + 37))
    for start in range(ring.written - 100, ring.written - 50):
        view = ring.view(start, 50)
        assert view.base is not None and view.flags.c_contiguous
        np.testing.assert_array_equal(view[:, 0], np.arange(start, start + 50))


@pytest.mark.parametrize(("start", "length"), [(0, 10), (990, 20), (899, 5)])
def test_a_window_that_is_gone_or_not_there_yet_is_refused(start, length):
    ring = Ring(100)
    ring.write(ramp(0, 1000))
    with pytest.raises(IndexError):
        ring.view(start, length)


def test_what_is_overwritten_is_reported_once_with_its_length():
    ring = Ring(100)
    ring.write(ramp(0, 250))
    block, lost = ring.read(1000)
    assert lost == 150
    np.testing.assert_array_equal(block[:, 0], np.arange(150, 250))
    ring.write(ramp(250, 260))
    assert ring.read(1000)[1] == 0


def test_blocks_longer_than_the_ring_keep_their_end():
    ring = Ring(64)
    ring.write(ramp(0, 10))
    ring.write(ramp(10, 500))
    np.testing.assert_array_equal(ring.view(436, 64)[:, 0], np.arange(436, 500))


@pytest.mark.parametrize("pause_s", [0.0, 0.05], ids=["keeping up", "too slow"])
def test_two_real_threads_at_100_times_real_time(pause_s):
    """Every sample is either read unchanged and in order, or counted as lost."""
    total, rate = 16_000 * 60, 100 * 16_000
    ring = Ring(total if pause_s == 0 else 48_000)
    done = threading.Event()

    def produce() -> None:
        began = time.monotonic()
        for start in range(0, total, 320):
            ring.write(ramp(start, start + 320))
            time.sleep(max(0.0, began + start / rate - time.monotonic()))
        done.set()

    producer = threading.Thread(target=produce)
    producer.start()
    position, lost_total = 0, 0
    while True:
        last = done.is_set()
        block, lost = ring.read(16_000)
        position += lost
        lost_total += lost
        np.testing.assert_array_equal(
            block[:, 0], np.arange(position, position + len(block), dtype=np.float32)
        )
        position += len(block)
        if last and not len(block):
            break
        time.sleep(pause_s)
    producer.join()
    assert position == total
    assert (lost_total > 0) == (pause_s > 0)
