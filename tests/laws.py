"""The laws of a streaming stage, stated once; test_laws.py holds every stage and the pipeline to them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any

import numpy as np

from voicelane.stages.protocol import Stage


@dataclass(frozen=True)
class StageCase:
    """A stage with an input to try it on.

    `cut(start, stop)` gives a piece of the input in the stage's units; `join` turns a list of outputs
    into one comparable value: an array, a tuple of arrays, or a list of items.
    """

    name: str
    make: Callable[[], Stage]
    cut: Callable[[int, int], Any]
    length: int
    join: Callable[[Sequence[Any]], Any]
    count: Callable[[int], int] | None = None
    """How many results `length` units of input give, `flush` included."""
    tolerance: float = 0.0
    samples: tuple[int, int] | None = None
    """Of frames: samples of the stream in a unit of input, and in a result."""
    behind: Callable[[list[Any], int], int] | None = None
    """Of events: how old, in samples, the oldest sound is that nothing was told of yet, from the items so far
    and the units heard."""


def hear(stage: Stage, case: StageCase, bounds: Sequence[int], stop: int | None = None) -> Any:
    """All output of the input cut at `bounds`, up to `stop`, with its flush if it was heard whole."""
    stop = case.length if stop is None else stop
    edges = [0, *sorted(b for b in bounds if 0 <= b <= stop), stop]
    outputs = [stage.process(case.cut(a, b)) for a, b in itertools.pairwise(edges)]
    return case.join([*outputs, stage.flush()] if stop == case.length else outputs)


def same(a: Any, b: Any, tolerance: float) -> None:
    """Assert that two outputs are equal, arrays to within `tolerance`."""
    if isinstance(a, np.ndarray):
        assert a.shape == b.shape
        assert a.size == 0 or np.abs(a.astype(complex) - b.astype(complex)).max() <= tolerance
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y, tolerance)
    elif is_dataclass(a):
        assert type(a) is type(b)
        for name in a.__dataclass_fields__:
            same(getattr(a, name), getattr(b, name), tolerance)
    elif isinstance(a, float):
        assert abs(a - b) <= max(tolerance, 1e-9)
    else:
        assert a == b


def start_of(whole: Any, part: Any) -> Any:
    """As much of the beginning of `whole` as `part` is long."""
    if isinstance(whole, tuple):
        return tuple(w[: len(p)] for w, p in zip(whole, part, strict=True))
    return whole[: len(part)]


def random_bounds(case: StageCase, rng: np.random.Generator) -> list[int]:
    return rng.integers(0, case.length + 1, size=rng.integers(1, 12)).tolist()


def chunked_equals_offline(case: StageCase, rng: np.random.Generator) -> None:
    same(hear(case.make(), case, random_bounds(case, rng)), hear(case.make(), case, []), case.tolerance)


def later_input_never_changes_output(case: StageCase, rng: np.random.Generator) -> None:
    stop = int(rng.integers(1, case.length))
    early = hear(case.make(), case, [], stop)
    same(early, start_of(hear(case.make(), case, []), early), case.tolerance)


def reset_equals_new(case: StageCase, rng: np.random.Generator) -> None:
    used = case.make()
    hear(used, case, random_bounds(case, rng), int(rng.integers(1, case.length)))
    used.reset()
    same(hear(used, case, []), hear(case.make(), case, []), 0.0)


def stated_count(case: StageCase) -> None:
    assert case.count is not None
    found = hear(case.make(), case, [])
    assert len(found[0] if isinstance(found, tuple) else found) == case.count(case.length)


def waits_exactly_its_latency(case: StageCase) -> None:
    """A stage of frames holds back `latency_samples` of the stream at some moment, and never more."""
    assert case.samples is not None
    stage, (unit, result), given, waiting = case.make(), case.samples, 0, []
    for n in range(case.length):
        out = case.join([stage.process(case.cut(n, n + 1))])
        given += len(out[0] if isinstance(out, tuple) else out)
        waiting.append((n + 1) * unit - given * result)
    assert max(waiting) == stage.latency_samples and min(waiting) >= 0


def delay_is_bounded(case: StageCase) -> None:
    """A stage of events tells of everything before `longest_delay_samples` more are heard, and not much
    before: a bound that nothing comes near says nothing."""
    assert case.behind is not None
    stage, items, worst = case.make(), [], 0
    for n in range(case.length):
        items += stage.process(case.cut(n, n + 1))
        worst = max(worst, case.behind(items, n + 1))
    assert stage.longest_delay_samples / 2 <= worst <= stage.longest_delay_samples


def interleaved_equals_alone(case: StageCase, others: StageCase, rng: np.random.Generator) -> None:
    """Two streams by turns, on one set of weights, give what each gives alone."""
    stages = [(case, case.make()), (others, others.make())]
    edges = np.unique([0, *random_bounds(case, rng), case.length])
    outputs: list[list[Any]] = [[], []]
    for a, b in itertools.pairwise(edges.tolist()):
        for kept, (own, stage) in zip(outputs, stages, strict=True):
            kept.append(stage.process(own.cut(a, b)))
    for kept, (own, stage) in zip(outputs, stages, strict=True):
        same(own.join([*kept, stage.flush()]), hear(own.make(), own, []), own.tolerance)


def impulse_delay(process: Callable[[np.ndarray], np.ndarray], at: int, length: int) -> int:
    """How many samples later than `at` an impulse leaves a stage of samples."""
    impulse = np.zeros(length, np.float32)
    impulse[at] = 1.0
    return int(np.argmax(np.abs(process(impulse)))) - at
