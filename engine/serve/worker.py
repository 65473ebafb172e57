"""A process that hears live streams by turns: `python -m voicelane.serve.worker DESCRIPTOR`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from voicelane.base.errors import VoicelaneError
from voicelane.base.settings import build_settings
from voicelane.config import PipelineConfig
from voicelane.pipeline import Pipeline
from voicelane.serve.hearing import Hearing, refusal
from voicelane.serve.messages import Start
from voicelane.serve.wire import Header, Wire
from voicelane.stages.recogniser import Person

IDLE_S = 0.05
"""Containers are decoded by threads; so often somebody looks what they have."""


class Worker:
    """Streams by number; each has a step in turn, so that a flood of sound costs only its sender."""

    def __init__(self, wire: Wire, config: PipelineConfig) -> None:
        self._wire, self._config = wire, config
        self._streams: dict[int, Hearing] = {}

    def run(self) -> None:
        """Until nobody is there any more."""
        while True:
            self._take_messages()
            for number in list(self._streams):
                self._step(number)

    def _take_messages(self) -> None:
        busy = any(stream.has_work for stream in self._streams.values())
        wait_s = 0.0 if busy else IDLE_S if self._streams else None
        while self._wire.poll(wait_s):
            header, payload = self._wire.receive()
            self._answer(header, payload)
            wait_s = 0.0

    def _answer(self, header: Header, payload: bytes) -> None:
        number, what = header["stream"], header["do"]
        try:
            if what == "open":
                self._open(number, header, payload)
            elif number in self._streams:
                self._go_on(number, what, header, payload)
        except (VoicelaneError, OSError) as problem:
            self._fail(number, problem, fatal=what in ("open", "finish"))

    def _go_on(self, number: int, what: str, header: Header, payload: bytes) -> None:
        stream = self._streams[number]
        if what == "sound":
            stream.put(payload)
        elif what == "rename":
            self._say(number, 0, stream.rename(header["speaker"], header["name"]))
        elif what == "merge":
            self._say(number, 0, stream.merge(header["speaker"], header["into"]))
        elif what == "finish":
            self._say(number, 0, stream.finish(), over=True)
            self._streams.pop(number).close()
        else:
            self._streams.pop(number).close()

    def _open(self, number: int, header: Header, payload: bytes) -> None:
        start = msgspec.convert(header["start"], Start)
        folder = Path(header["folder"]) if header["folder"] else None
        people = unpacked_people(header["people"], payload)
        self._streams[number] = Hearing(start, self._config, people, folder, header["model"])
        self._say(number, 0, [], opened=True)

    def _step(self, number: int) -> None:
        stream = self._streams[number]
        try:
            taken, messages = stream.step()
        except (VoicelaneError, OSError) as problem:
            self._fail(number, problem, fatal=True)
            return
        if taken or messages:
            self._say(number, taken, messages)

    def _fail(self, number: int, problem: VoicelaneError | OSError, fatal: bool) -> None:
        if fatal and (stream := self._streams.pop(number, None)):
            stream.close()
        self._wire.send({"stream": number, "fatal": fatal, **refusal(problem)})

    def _say(self, number: int, taken: int, messages: Sequence[Any], **more: bool) -> None:
        heard_s = self._streams[number].heard_s
        self._wire.send({"stream": number, "taken": taken, "heard_s": heard_s, "say": messages, **more})


def packed_people(people: Sequence[Person]) -> tuple[list[dict[str, Any]], bytes]:
    """People for another process: names with shapes, and the embeddings behind each other."""
    rows = [{"name": p.name, "shape": p.embeddings.shape} for p in people]
    return rows, b"".join(np.ascontiguousarray(p.embeddings, np.float32).tobytes() for p in people)


def unpacked_people(rows: Sequence[dict[str, Any]], payload: bytes) -> list[Person]:
    """What `packed_people` made."""
    found, at = list[Person](), 0
    for row in rows:
        n_numbers = int(np.prod(row["shape"]))
        numbers = np.frombuffer(payload, np.float32, n_numbers, at)
        found.append(Person(row["name"], numbers.reshape(row["shape"]).copy()))
        at += n_numbers * numbers.itemsize
    return found


def config_from(content: dict[str, Any]) -> PipelineConfig:
    """Settings as `asdict` gave them, from a process that had checked them."""
    problems = list[str]()
    config = build_settings(PipelineConfig, content, "", problems)
    assert not problems, problems
    return config


def main(descriptor: str) -> None:
    """The life of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to answer
    wire = Wire(int(descriptor))
    try:
        header, _ = wire.receive()
        config = config_from(header["config"])
        Pipeline(config).warm_up()
        wire.send({"ready": True})
        Worker(wire, config).run()
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main(sys.argv[1])
