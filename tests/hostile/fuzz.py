"""Hostile input by the million: `python -m tests.hostile.fuzz TARGET --minutes N [--seed S] [--found DIR]`.

With `atheris` installed (`pip install atheris`) inputs are steered to new branches of the engine, without it
the seeds are changed at random. Only voicelane's own errors may come out, with a message that is one short
printable line, or an `OSError` that names a file; within 10 s and 1 GB; nothing is written outside a folder
of its own and no socket is opened. Anything else is kept in DIR, once for each place it comes from, and the
run goes on. The exit status is 1 if there was any.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

LONGEST_S, MOST_BYTES = 10, 1 << 30
LONGEST_INPUT = 4_096
CODE = ("engine", "tests")
WRITES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.truncate")


class TooSlow(BaseException):
    """An input took longer than 10 s; no `except Exception` of the engine hides it."""


class Judge:
    """Runs inputs one by one and keeps those that break the rules."""

    def __init__(self, target: str, found: Path, minutes: float) -> None:
        from tests.hostile.targets import TARGETS

        self._target, self._name, self._found = TARGETS[target], target, found
        base = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
        self.folder = Path(tempfile.mkdtemp(prefix="voicelane-fuzz-", dir=base))
        self.executions, self.refused, self.places = 0, 0, set[str]()
        self._began_s, self._end_s = time.monotonic(), time.monotonic() + 60 * minutes
        self._outside: list[str] = []
        self._watched = False
        sys.addaudithook(self._watch)
        signal.signal(signal.SIGALRM, self._too_slow)
        resource.setrlimit(resource.RLIMIT_AS, (_virtual_bytes() + MOST_BYTES,) * 2)

    def __call__(self, data: bytes) -> None:
        from tests.hostile.inputs import check_sentence
        from voicelane.base.errors import VoicelaneError

        if time.monotonic() >= self._end_s:
            self.end()
        place = self.folder / "input"
        place.mkdir()
        self.executions += 1
        signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
        try:
            self._watched = True
            try:
                self._target(data, place)
            except VoicelaneError as problem:
                self.refused += 1
                check_sentence(str(problem).replace(str(place), ""))
            except OSError as problem:
                if not problem.filename:
                    raise
            assert not self._outside, self._outside
        except (Exception, TooSlow) as problem:
            self._keep(data, problem)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._watched = False
            self._outside.clear()
            shutil.rmtree(place)

    def _keep(self, data: bytes, problem: BaseException) -> None:
        """The input, once for each kind of error and line of the engine."""
        frames = traceback.extract_tb(problem.__traceback__)
        own = [f for f in frames if any(f"/{part}/" in f.filename for part in CODE)] or list(frames)
        where = f"{type(problem).__name__}-{Path(own[-1].filename).stem}-{own[-1].lineno}"
        if where in self.places:
            return
        self.places.add(where)
        self._found.mkdir(parents=True, exist_ok=True)
        (self._found / f"{self._name}-{where}").write_bytes(data)
        print(f"FOUND {self._name} {where}: {str(problem)[:300]!r}\n  {data[:200]!r}", flush=True)

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watched:
            return
        if event.startswith("socket."):
            self._outside.append(event)
        writing = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if (writing or event in WRITES) and isinstance(arguments[0], str | bytes | os.PathLike):
            path = Path(os.fsdecode(arguments[0])).absolute()
            if not path.is_relative_to(self.folder):
                self._outside.append(f"{event} {path}")

    def _too_slow(self, *_: object) -> None:
        raise TooSlow(f"longer than {LONGEST_S} s")

    def end(self) -> NoReturn:
        """Say what happened and leave; libFuzzer would end the process without a word."""
        shutil.rmtree(self.folder, ignore_errors=True)
        minutes = (time.monotonic() - self._began_s) / 60
        print(
            f"{self._name}: {self.executions} executions in {minutes:.1f} minutes, {self.refused} refused "
            f"with a sentence, {len(self.places)} findings",
            flush=True,
        )
        os._exit(1 if self.places else 0)


def _virtual_bytes() -> int:
    """Address space in use, in bytes; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[0]) * resource.getpagesize() if status.exists() else 1 << 36


def _mutated(rng: random.Random, seeds: list[bytes]) -> bytes:
    """A seed with a few of its bytes changed, left out, doubled or taken from another."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 6)):
        at, n = rng.randint(0, len(data)), rng.choice((1, 1, 2, 4, 16))
        other = rng.choice(seeds)
        start = rng.randint(0, len(other))
        change = rng.choice((rng.randbytes(n), other[start : start + n], bytes(data[at : at + n]) * 2, b""))
        data[at : at + rng.choice((0, n))] = change
    return bytes(data[:LONGEST_INPUT])


def _at_random(judge: Judge, seeds: list[bytes], seed: int) -> NoReturn:
    rng = random.Random(seed)
    for data in seeds:
        judge(data)
    while True:
        judge(_mutated(rng, seeds))


def _steered(atheris: Any, judge: Judge, seeds: list[bytes], seed: int) -> None:
    """By libFuzzer, towards branches that were not taken before."""
    corpus = judge.folder / "corpus"
    corpus.mkdir()
    for i, data in enumerate(seeds):
        (corpus / str(i)).write_bytes(data)
    options = [f"-seed={seed}", f"-max_len={LONGEST_INPUT}", "-rss_limit_mb=0", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], judge)
    atheris.Fuzz()


def main() -> None:
    """The command."""
    arguments = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz", description=__doc__)
    arguments.add_argument("target")
    arguments.add_argument("--minutes", type=float, default=1.0)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--found", type=Path, default=Path("fuzz-found"), metavar="DIR")
    args = arguments.parse_args()
    atheris = importlib.import_module("atheris") if importlib.util.find_spec("atheris") else None
    with atheris.instrument_imports(include=["engine", "zipfile", "tomllib"]) if atheris else nullcontext():
        targets = importlib.import_module("tests.hostile.targets")
    if args.target not in targets.TARGETS:
        arguments.error(f"no target {args.target}; there are: {', '.join(targets.TARGETS)}")
    judge, seeds = Judge(args.target, args.found, args.minutes), targets.seeds(args.target)
    if atheris:
        _steered(atheris, judge, seeds, args.seed)
    _at_random(judge, seeds, args.seed)


if __name__ == "__main__":
    main()
