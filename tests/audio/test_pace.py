"""Sound that a device leaves out is noticed, told and replaced by silence; late sound is not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.live.test_pauses import Listener, Microphone, until
from voicelane import LiveSession, Pipeline
from voicelane.audio.pace import Pace
from voicelane.base import DeviceError
from voicelane.events import DeviceLost, DeviceReturned, ListeningPaused, ListeningResumed


def gaps(times_s: np.ndarray) -> list[float]:
    """What is said to be missing when blocks of 20 ms come at these times."""
    pace = Pace(16_000)
    return [gap for t in times_s if (gap := pace.missing_s(320, float(t)))]


def test_late_blocks_that_catch_up_and_slow_or_fast_clocks_are_no_gap(rng):
    even_s = 100.0 + 0.02 * np.arange(50_000)
    assert gaps(even_s + rng.uniform(0.0, 0.1, len(even_s))) == []
    assert gaps(even_s * (1 + 2e-4)) == gaps(even_s * (1 - 2e-4)) == []
    held_up_s = even_s.copy()
    held_up_s[500:525] = held_up_s[524]
    assert gaps(held_up_s) == []


@pytest.mark.parametrize("missing_s", [0.2, 1.75, 60.0])
def test_what_never_comes_is_a_gap_of_its_length(missing_s):
    times_s = 0.02 * np.arange(500)
    times_s[233:] += missing_s
    assert gaps(times_s) == pytest.approx([missing_s])


def test_a_pause_that_ends_while_the_microphone_is_away_ends_in_the_stream_too(speech, monkeypatch):
    monkeypatch.setattr("voicelane.live.session.RETRY_S", 0.05)
    mics, away, listener = [Microphone()], [True], Listener()

    def reconnect() -> Microphone:
        if away:
            raise DeviceError("no microphone")
        mics.append(Microphone())
        return mics[-1]

    with LiveSession(mics[0], Pipeline(), [listener], reconnect=reconnect) as session:
        session.pause()
        mics[0].say(speech[:16_000])
        until(lambda: session.pipeline.heard_samples == 16_000)
        mics[0].finished.set()
        until(lambda: any(isinstance(e, DeviceLost) for e in listener.events))
        session.resume()
        away.clear()
        until(lambda: len(mics) == 2 and mics[1].say is not None)
        mics[1].say(speech[16_000:32_000])
        until(lambda: any(isinstance(e, ListeningResumed) for e in listener.events))
    kinds = (ListeningPaused, ListeningResumed, DeviceLost, DeviceReturned)
    assert [type(e) for e in listener.events if isinstance(e, kinds)] == [
        ListeningPaused,
        DeviceLost,
        DeviceReturned,
        ListeningResumed,
    ]
