"""The README's one table: voicelane beside other systems, every figure out of a measured result."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECTION = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)
CONVERSATIONS, MEETINGS = "diarisation-audio-conversations", "diarisation-audio-meetings"
COMPARED = f"{CONVERSATIONS}-dev-compare"
"""Where all systems ran on one machine: CPU is told of that alone."""
OFFLINE = {"voicelane, final": "voicelane", "senko batch": "senko", "sherpa offline": "sherpa-onnx"}
STREAMING = {"voicelane, as emitted": "voicelane", "diart 2 s": "diart"}
ALL = {**OFFLINE, "diart 2 s": "diart"}
PEERS = {"voicelane final": "voicelane", "diart 2 s": "diart", **OFFLINE}
DETECTORS = {"voicelane": "voicelane", "webrtcvad 2": "webrtcvad", "silero-vad": "silero-vad"}
ENCODERS = {"conv_transformer": "voicelane", "CAM++": "CAM++", "Resemblyzer": "Resemblyzer"}


@dataclass(frozen=True)
class Measure:
    """One row of the table, out of the results whose file names begin with `results`.

    `where` are the keys that lead to the systems, `names` those of them that are shown and as what, and
    `value` is the figure of one of them.
    """

    what: str
    page: str
    """Of docs/measured, where the command stands."""
    results: str
    where: tuple[str, ...]
    names: dict[str, str]
    value: Callable[[Any], float]
    digits: int = 1
    most_is_best: bool = False

    def figures(self, folder: Path) -> dict[str, float]:
        """System → figure; empty where there is no result."""
        figures: dict[str, float] = {}
        for path in sorted(folder.glob(f"{self.results}*.json")):
            systems = json.loads(path.read_text(encoding="utf-8"))
            for key in self.where:
                systems = systems[key]
            figures |= {self.names[k]: self.value(v) for k, v in systems.items() if k in self.names}
        return figures


def fill(readme: Path, results: Path) -> None:
    """Put the table between the markers of a file, which may have none."""
    text = readme.read_text(encoding="utf-8")
    readme.write_text(SECTION.sub(lambda m: f"{m[1]}{rows(results)}\n{m[2]}", text), encoding="utf-8")


def rows(results: Path) -> str:
    """The Markdown table of all measures whose results are there, the best figure of each in bold."""
    measured = [(measure, measure.figures(results)) for measure in MEASURES]
    lines = [_row(measure, figures) for measure, figures in measured if figures]
    return "\n".join(["| Measured | voicelane | other systems |", "|---|---|---|", *lines])


def _row(measure: Measure, figures: dict[str, float]) -> str:
    """A link to the command, our figure, and the others from the best to the worst."""
    order = sorted(figures, key=figures.__getitem__, reverse=measure.most_is_best)
    shown = {name: f"{figures[name]:.{measure.digits}f}" for name in order}
    if len(order) > 1:
        shown[order[0]] = f"**{shown[order[0]]}**"
    ours = shown.pop("voicelane")
    others = ", ".join(f"{name} {value}" for name, value in shown.items()) or "not measured"
    return f"| [{measure.what}](docs/measured/{measure.page}.md) | {ours} | {others} |"


def _der(system: Any) -> float:
    return float(system["total"]["der"])


def _cpu_ms(system: Any) -> float:
    return 1e3 * float(system["cpu_per_s"])


def _counted_right(system: Any) -> float:
    return float(sum(f["speakers_ref"] == f["speakers_hyp"] for f in system["files"].values()))


def _p95_s(delay: Any) -> float:
    return float(delay["p95"]) / 1e3


def _named(key: str) -> Callable[[Any], float]:
    return lambda system: float(system[key])


def _delay(what: str, label: str) -> Measure:
    names = {f"capture to {label} label": "voicelane"}
    return Measure(what, "latency", "live", ("conditions", "idle", "ms"), names, _p95_s)


MEASURES = (
    Measure(
        "DER %, 24 simulated conversations, at the end",
        "accuracy",
        CONVERSATIONS,
        ("systems",),
        OFFLINE,
        _der,
    ),
    Measure("the same, labels within 2 s", "accuracy", CONVERSATIONS, ("systems",), STREAMING, _der),
    Measure("DER %, 7 clips of real meetings, at the end", "accuracy", MEETINGS, ("systems",), OFFLINE, _der),
    Measure("the same, labels within 2 s", "accuracy", MEETINGS, ("systems",), STREAMING, _der),
    Measure(
        "number of speakers right, of 24",
        "accuracy",
        CONVERSATIONS,
        ("systems",),
        ALL,
        _counted_right,
        0,
        True,
    ),
    Measure("CPU, ms per second of sound", "accuracy", COMPARED, ("systems",), ALL, _cpu_ms, 0),
    Measure("memory, MB", "peers", "peers", ("diarisers",), PEERS, _named("memory_mb"), 0),
    _delay("somebody is named, s after the sound (p95)", "tentative"),
    _delay("the name is final, s after the sound (p95)", "confirmed"),
    Measure(
        "speech detection, frame error %, clean",
        "accuracy",
        "vad",
        ("conditions", "clean"),
        DETECTORS,
        _named("frame_error"),
    ),
    Measure(
        "the same in noise of 10 dB",
        "accuracy",
        "vad",
        ("conditions", "10 dB"),
        DETECTORS,
        _named("frame_error"),
    ),
    Measure(
        "voices told apart, EER %, English",
        "accuracy",
        "verification",
        ("conditions", "english, clean"),
        ENCODERS,
        _named("eer"),
        2,
    ),
)
