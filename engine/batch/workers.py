"""Units of a batch side by side on this machine: processes that analyse one recording after another."""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection, wait

from voicelane.batch.unit import Outcome, Unit, analyse, outcome_from

TRIES = 2


class Lane:
    """A process of its own; a new one takes the place of one that died."""

    def __init__(self, settings: str) -> None:
        self._settings = settings
        self.unit: Unit | None = None
        """What it is at."""
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self._settings), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, unit: Unit) -> None:
        self.unit = unit
        try:
            self.pipe.send_bytes(json.dumps(asdict(unit)).encode())
        except OSError:
            return  # it died; `take` finds that out

    def take(self) -> Outcome | None:
        """The outcome, once `pipe` has something; None where the process died."""
        try:
            return outcome_from(self.pipe.recv_bytes().decode())
        except (EOFError, OSError):
            self.end()
            self._begin()
            return None
        finally:
            self.unit = None

    def end(self) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.join()


def serve(pipe: Connection, settings: str) -> None:
    """The life of a lane's process: units in, outcomes out, until nobody is there any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    while True:
        try:
            pipe.send_bytes(analyse(settings, **json.loads(pipe.recv_bytes())).encode())
        except (EOFError, OSError):
            return


def run_here(units: Sequence[Unit], settings: str, n_lanes: int) -> Iterator[Outcome]:
    """The outcome of every unit, as they come; a unit whose process dies is tried once more."""
    waiting, tries = deque(units), Counter[str]()
    lanes = [Lane(settings) for _ in range(min(n_lanes, len(units)))]
    try:
        while True:
            for lane in lanes:
                if lane.unit is None and waiting:
                    lane.give(waiting.popleft())
            at_work = [lane for lane in lanes if lane.unit is not None]
            if not at_work:
                return
            ready = wait([lane.pipe for lane in at_work])
            for lane in at_work:
                if lane.pipe not in ready or lane.unit is None:
                    continue
                unit = lane.unit
                outcome = lane.take()
                if outcome is not None:
                    yield outcome
                    continue
                tries[unit.name] += 1
                if tries[unit.name] < TRIES:
                    waiting.append(unit)
                else:
                    yield Outcome(unit, problem=f"{unit.path}: {DIED}")
    finally:
        for lane in lanes:
            lane.end()


DIED = (
    "the process that analysed it died twice; is there too little memory? Run it alone: `voicelane run FILE`"
)
