"""How the channels of a recording differ, and what of them is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

FRAME_S = 0.02
CHUNK_S = 1.0
ANALYSED_HZ = 8_000
BAND_HZ = (250.0, 3_500.0)
"""Where speech is and hum is not."""
FLOOR_DB = -120.0
DEAD_DB, DEAD_BELOW_DB = -85.0, 60.0
"""A channel is dead below this level, or so far below the loudest one."""
STEADY_DB, LIVELY_DB = 7.0, 12.0
"""Between loud and quiet frames hum and hiss vary by less than the one, speech by more than the other."""
ACTIVE_DB = 25.0
"""A frame is active that is at most so far below the loud frames of its channel."""
ALIKE = 0.8
"""Normalised correlation of two channels that carry the same sound."""
LONGEST_LAG_S = 0.05
DOMINANT_DB, LEAST_SHARE, MOST_SHARED = 9.0, 0.08, 0.5
"""One person each: in so many of the active frames one side is so much louder, and in so many neither is."""
ABOVE_LEAK_DB = 6.0
HOLD_FRAMES, AHEAD_FRAMES = 6, 2
RUNNING_S = 15.0
MOST_CHANNELS = 16
"""More are mixed without a look at how they differ."""


class Tally:
    """What is counted of a recording (n, channels) at `rate`, block by block: levels and correlations."""

    def __init__(self, rate: int, channels: int) -> None:
        self._step = max(1, rate // ANALYSED_HZ)
        self._rate = rate / self._step
        self._frame = max(8, round(FRAME_S * self._rate))
        self._chunk = self._frame * round(CHUNK_S / FRAME_S)
        self._channels, self._waiting, self._n_waiting = channels, list[np.ndarray](), 0
        self._levels: list[np.ndarray] = []
        self._cross = np.zeros((self._chunk + 1, channels, channels), complex)

    def add(self, block: np.ndarray) -> None:
        self._waiting.append(block)
        self._n_waiting += len(block)
        whole = self._chunk * self._step
        if self._n_waiting < whole:
            return
        joined = np.concatenate(self._waiting)
        rest = len(joined) % whole
        for chunk in joined[: len(joined) - rest].reshape(-1, whole, self._channels):
            self._count(chunk)
        self._waiting, self._n_waiting = [joined[len(joined) - rest :]], rest

    def finish(self) -> None:
        """Count what is left of the last second."""
        missing = -self._n_waiting % (self._chunk * self._step)
        if missing:
            self.add(np.zeros((missing, self._channels), np.float32))

    @property
    def counted_s(self) -> float:
        """Seconds so far."""
        return len(self._levels) * CHUNK_S

    @property
    def levels_db(self) -> np.ndarray:
        """Level of the speech band, in dBFS, float (n_frames, channels)."""
        return np.concatenate(self._levels) if self._levels else np.full((1, self._channels), FLOOR_DB)

    def relation(self, a: int, b: int) -> tuple[float, float]:
        """The strongest normalised correlation of two channels, −1 … 1, and by how many seconds b is late."""
        power = np.sqrt(self._cross[:, a, a].real.sum() * self._cross[:, b, b].real.sum())
        if power <= 0.0:
            return 0.0, 0.0
        curve = np.fft.irfft(self._cross[:, b, a], 2 * self._chunk) * self._chunk / power
        most = max(1, round(LONGEST_LAG_S * self._rate))
        lags = np.arange(-most, most + 1)
        found = curve[lags]
        best = int(np.abs(found).argmax())
        return float(np.clip(found[best], -1.0, 1.0)), float(lags[best] / self._rate)

    def _count(self, chunk: np.ndarray) -> None:
        low = chunk.reshape(self._chunk, self._step, self._channels).mean(axis=1)
        frames = low.reshape(-1, self._frame, self._channels) * np.hanning(self._frame)[None, :, None]
        spectrum = np.square(np.abs(np.fft.rfft(frames, axis=1)))
        hz = np.fft.rfftfreq(self._frame, 1.0 / self._rate)
        power = spectrum[:, (hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1])].sum(axis=1) / self._frame**2
        self._levels.append(np.maximum(FLOOR_DB, 10.0 * np.log10(power + 1e-12)))
        whole = np.fft.rfft(low, 2 * self._chunk, axis=0)
        hz = np.fft.rfftfreq(2 * self._chunk, 1.0 / self._rate)
        whole[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0.0
        self._cross += whole[:, :, None] * whole[:, None, :].conj()


@dataclass(frozen=True, eq=False)
class Layout:
    """What is heard of a recording's channels."""

    weights: np.ndarray
    """float32 (n_outputs, channels): one output is a mono stream, several are a side each."""
    told: str
    """In one line; empty where there is nothing to tell."""
    leak_db: np.ndarray | None = None
    """Level of side j in side i, relative to side j, (n_outputs, n_outputs); None without gating."""


def mixed(channels: int, told: str = "") -> Layout:
    """The mean of all channels."""
    return Layout(np.full((1, channels), 1.0 / channels, np.float32), told)


def chosen(number: int, channels: int) -> Layout:
    """One channel, counted from 1."""
    return Layout(_rows([{number - 1: 1.0}], channels), f"channel {number} of {channels} is heard")


def separated(tally: Tally, channels: Sequence[int], n_channels: int) -> Layout:
    """A side for each of these channels, without what it has of the others'."""
    rows = _rows([{channel: 1.0} for channel in channels], n_channels)
    names = " and ".join(str(c + 1) for c in channels)
    told = f"channels {names} hold different people: each is heard by itself, without its cross-talk"
    return Layout(rows, told, leak_db(tally.levels_db[:, list(channels)]))


def layout(tally: Tally, n_channels: int) -> Layout:
    """What to hear: without dead, humming or hissing channels, copies once, one person each apart."""
    levels = tally.levels_db
    dead = dead_channels(levels)
    steady = steady_channels(levels, dead)
    live = [c for c in range(n_channels) if c not in dead and c not in steady]
    left_out = [*([f"silent: {_numbers(dead)}"] if dead else []), *(_noise(steady) if steady else [])]
    if not live:
        return mixed(n_channels)
    groups, how = _groups(tally, live, levels)
    told = left_out + how
    best = [max(group, key=lambda c: liveliness_db(levels)[c]) for group in groups]
    if len(best) > 1 and all(apart(levels[:, [a, b]]) for a, b in combinations(best, 2)):
        found = separated(tally, best, n_channels)
        return Layout(found.weights, "; ".join([found.told, *left_out]), found.leak_db)
    weights = _rows([{c: 1.0 / len(best) for c in best}], n_channels)
    if not told:
        return Layout(weights, "")
    heard = f"channel {best[0] + 1} is heard" if len(best) == 1 else f"{_numbers(best)} are mixed"
    return Layout(weights, f"of {n_channels} channels {heard} ({'; '.join(told)})")


def dead_channels(levels_db: np.ndarray) -> list[int]:
    """Those without sound, of levels (n_frames, channels)."""
    loud = np.percentile(levels_db, 99, axis=0)
    return [int(c) for c in np.flatnonzero(loud < max(DEAD_DB, loud.max() - DEAD_BELOW_DB))]


def liveliness_db(levels_db: np.ndarray) -> np.ndarray:
    """How far the loud frames of each channel are above its quiet ones, (channels,)."""
    sounding = [column[column > FLOOR_DB + 1.0] for column in levels_db.T]
    quiet = [np.percentile(column, 10) if len(column) else FLOOR_DB for column in sounding]
    return np.percentile(levels_db, 95, axis=0) - np.array(quiet)


def steady_channels(levels_db: np.ndarray, dead: Sequence[int]) -> list[int]:
    """Those that only hum or hiss, where another one is as lively as speech."""
    found = liveliness_db(levels_db)
    rest = [c for c in range(levels_db.shape[1]) if c not in dead]
    if not any(found[c] > LIVELY_DB for c in rest):
        return []
    return [c for c in rest if found[c] < STEADY_DB]


def apart(levels_db: np.ndarray) -> bool:
    """Whether two channels, levels (n_frames, 2), hold one person each."""
    loud = np.percentile(levels_db, 95, axis=0)
    relative = levels_db - loud
    active = relative.max(axis=1) > -ACTIVE_DB
    if not active.any():
        return False
    difference = relative[active, 0] - relative[active, 1]
    sides = [(difference > DOMINANT_DB).mean(), (difference < -DOMINANT_DB).mean()]
    return min(sides) > LEAST_SHARE and 1.0 - sum(sides) < MOST_SHARED


def leak_db(levels_db: np.ndarray) -> np.ndarray:
    """How much of side j is heard in side i, in dB relative to side j, for levels (n_frames, sides).

    The median over the frames in which side j alone is loud.
    """
    n = levels_db.shape[1]
    relative = levels_db - np.percentile(levels_db, 95, axis=0)
    found = np.full((n, n), -np.inf)
    for i, j in [(i, j) for i in range(n) for j in range(n) if i != j]:
        alone = (relative[:, j] > -ACTIVE_DB / 2) & (relative[:, j] - relative[:, i] > DOMINANT_DB)
        if alone.any():
            found[i, j] = np.median(levels_db[alone, i] - levels_db[alone, j])
    return found


class Gate:
    """Silences each side while all that it has is cross-talk of another; the delay is taken off.

    Blocks (n, sides) at `rate` in, the same number of samples out, late by a few frames until `flush`.
    """

    def __init__(self, rate: int, leaks_db: np.ndarray) -> None:
        self._length = max(1, round(FRAME_S * rate))
        self._most = 10.0 ** ((leaks_db + ABOVE_LEAK_DB) / 10.0)
        sides = len(leaks_db)
        self._waiting = np.zeros((0, sides), np.float32)
        self._frames: list[tuple[np.ndarray, np.ndarray]] = []
        self._held, self._gain = np.zeros(sides, int), np.zeros(sides, np.float32)

    def process(self, block: np.ndarray) -> np.ndarray:
        self._waiting = np.concatenate((self._waiting, block))
        found = []
        while len(self._waiting) >= self._length:
            frame, self._waiting = self._waiting[: self._length], self._waiting[self._length :]
            self._frames.append((frame, self._own(frame)))
            if len(self._frames) > AHEAD_FRAMES:
                found.append(self._next())
        return np.concatenate(found) if found else self._waiting[:0]

    def flush(self) -> np.ndarray:
        """What still waits."""
        if len(self._waiting):
            self._frames.append((self._waiting, self._own(self._waiting)))
        rest = self._waiting[:0]
        self._waiting = rest
        return np.concatenate([rest, *(self._next() for _ in range(len(self._frames)))])

    def _own(self, frame: np.ndarray) -> np.ndarray:
        """Whether each side has more than the cross-talk of every other, bool (sides,)."""
        power = np.square(frame, dtype=np.float64).mean(axis=0)
        return power > np.where(self._most > 0.0, self._most * power, 0.0).max(axis=1)

    def _next(self) -> np.ndarray:
        """The oldest frame, faded where a side opens or closes."""
        opened = np.any([own for _, own in self._frames], axis=0)
        frame, _ = self._frames.pop(0)
        self._held = np.where(opened, HOLD_FRAMES, np.maximum(self._held - 1, 0))
        gain = (self._held > 0).astype(np.float32)
        ramp = np.linspace(0.0, 1.0, len(frame), dtype=np.float32)[:, None]
        faded = frame * (self._gain + (gain - self._gain) * ramp)
        self._gain = gain
        return faded


def _groups(tally: Tally, live: Sequence[int], levels_db: np.ndarray) -> tuple[list[list[int]], list[str]]:
    """Channels with the same sound together, and what was noticed of them."""
    groups, told = [[live[0]]], []
    for channel in live[1:]:
        for group in groups:
            alike, late_s = tally.relation(group[0], channel)
            if abs(alike) > ALIKE:
                told.append(f"{_numbers([group[0], channel])} {_relation(alike, late_s)}")
                group.append(channel)
                break
        else:
            groups.append([channel])
    return groups, [t for t in told if t]


def _relation(alike: float, late_s: float) -> str:
    if abs(late_s) > 1.5 / ANALYSED_HZ:
        return f"are {1e3 * abs(late_s):.1f} ms apart"
    return "are in antiphase" if alike < 0 else "are the same"


def _noise(steady: Sequence[int]) -> list[str]:
    return [f"only noise: {_numbers(steady)}"]


def _numbers(channels: Sequence[int]) -> str:
    return ", ".join(str(c + 1) for c in channels)


def _rows(rows: Sequence[dict[int, float]], channels: int) -> np.ndarray:
    found = np.zeros((len(rows), channels), np.float32)
    for row, chosen_ in zip(found, rows, strict=True):
        for channel, weight in chosen_.items():
            row[channel] = weight
    return found


class RunningMix:
    """Live channels (n, channels) to one (n, 1): what is silent, hums or hisses fades out, copies count once.

    What was heard in the last half minute decides, anew every second.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate, self._channels = rate, channels
        self._weights = self._wanted = mixed(channels).weights[0]
        self._tally, self._older = Tally(rate, channels), Tally(rate, channels)
        self._since = 0

    def process(self, block: np.ndarray) -> np.ndarray:
        self._tally.add(block)
        self._since += len(block)
        if self._since >= CHUNK_S * self._rate:
            self._since = 0
            self._decide()
        ramp = np.linspace(0.0, 1.0, len(block), dtype=np.float32)[:, None]
        weights = self._weights + (self._wanted - self._weights) * ramp
        self._weights = self._wanted
        return (block * weights).sum(axis=1, keepdims=True, dtype=np.float32)

    def _decide(self) -> None:
        tally = self._tally if self._tally.counted_s > RUNNING_S / 2 else self._older
        if tally.counted_s > 0.0:
            found = layout(tally, self._channels).weights
            self._wanted = found.mean(axis=0)
        elif self._tally.counted_s > 0.0:
            self._wanted = layout(self._tally, self._channels).weights.mean(axis=0)
        if self._tally.counted_s >= RUNNING_S:
            self._older, self._tally = self._tally, Tally(self._rate, self._channels)
