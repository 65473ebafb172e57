"""A voice that is in both lanes of a meeting counts once."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane import SpeakerTurn
from voicelane.audio.echo import EchoGate
from voicelane.sides import SidesPipeline

RATE = 16_000
LATE_S, ROOM_S = 0.12, 0.08


@pytest.fixture(scope="module")
def two(enrolment_sound) -> tuple[np.ndarray, np.ndarray]:
    """Who sits here and who is far away, three seconds each in turn, and who speaks when (n,)."""
    here, far = (np.tile(sound, 3)[: 12 * RATE] for sound in list(enrolment_sound.values())[:2])
    turns = np.arange(24 * RATE) // (3 * RATE) % 2 == 1
    lanes = np.zeros((24 * RATE, 2), np.float32)
    lanes[turns, 0], lanes[~turns, 1] = here, far
    return lanes, turns


def echo(sound: np.ndarray, gain: float, rng: np.random.Generator) -> np.ndarray:
    """The sound through loudspeakers and a room."""
    n = int(ROOM_S * RATE)
    room = rng.standard_normal(n) * np.exp(-6 * np.arange(n) / n)
    late = np.concatenate([np.zeros(int(LATE_S * RATE)), np.convolve(sound, room / np.linalg.norm(room))])
    return (gain * late[: len(sound)]).astype(np.float32)


def gated(lanes: np.ndarray, length: int = 1_600) -> np.ndarray:
    gate = EchoGate(RATE)
    return np.concatenate([gate.process(lanes[i : i + length]) for i in range(0, len(lanes), length)])


def energy(sound: np.ndarray) -> float:
    return float(np.square(sound, dtype=np.float64).sum())


@pytest.mark.parametrize(
    ("lane", "gain"), [(0, 0.3), (0, 0.05), (1, 0.3)], ids=["near", "faint", "sent back"]
)
def test_an_echo_goes_and_the_voice_stays(two, rng, lane, gain):
    """After the second that it takes to learn: a tenth of the echo at most, nearly all of the own voice."""
    lanes, mine = two
    own = mine if lane == 0 else ~mine
    heard = lanes.copy()
    heard[:, lane] += echo(lanes[:, 1 - lane], gain, rng)
    heard[:, lane] += 1e-4 * rng.standard_normal(len(heard))
    late = np.roll(own, int((LATE_S + ROOM_S) * RATE))
    only_echo = ~own & ~late & (np.arange(len(own)) > 6 * RATE)
    left = gated(heard)
    assert energy(left[only_echo, lane]) < 0.1 * energy(heard[only_echo, lane])
    assert energy(left[own, lane]) > 0.95 * energy(heard[own, lane])
    assert energy(left[:, 1 - lane]) > 0.99 * energy(heard[:, 1 - lane])


def test_without_an_echo_nothing_changes(two, rng):
    lanes = two[0] + 1e-4 * rng.standard_normal(two[0].shape).astype(np.float32)
    assert energy(gated(lanes) - lanes) < 0.01 * energy(lanes)


def test_two_who_speak_at_once_stay(enrolment_sound, rng):
    here, far = (np.tile(sound, 2)[: 12 * RATE] for sound in list(enrolment_sound.values())[:2])
    lanes = np.stack([here + echo(far, 0.1, rng), far], axis=1).astype(np.float32)
    assert energy(gated(lanes)[:, 0]) > 0.9 * energy(here)


def test_any_blocks_of_whole_frames_give_the_same(two, rng):
    heard = two[0].copy()
    heard[:, 0] += echo(heard[:, 1], 0.2, rng)
    assert np.array_equal(gated(heard, 320), gated(heard, 16_000))


def test_whoever_is_heard_in_both_lanes_is_counted_once(two, rng):
    """Turns of the lane with the echo are its own person's."""
    lanes, mine = two
    heard = lanes.copy()
    heard[:, 0] += echo(lanes[:, 1], 0.3, rng)

    def strangers_s(sound: np.ndarray) -> float:
        pipeline = SidesPipeline(2)
        events = [e for i in range(0, len(sound), 1_600) for e in pipeline.push(sound[i : i + 1_600])]
        events += pipeline.flush()
        turns = [
            e for e in events if isinstance(e, SpeakerTurn) and e.final and not pipeline.side_of(e.speaker)
        ]
        at = [slice(max(t.start, 6 * RATE), max(t.end, 6 * RATE)) for t in turns]
        return sum(np.count_nonzero(~mine[s]) for s in at) / RATE

    assert strangers_s(heard) > 5.0 > 2.0 > strangers_s(gated(heard))
