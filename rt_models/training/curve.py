"""What is known of a run while it trains: means since the last point, and the curve of all points."""

from __future__ import annotations

import time
from pathlib import Path

from voicelane.rt_models.training.checkpoint import Curve


class Meter:
    """Means since the last point, and the curve of all points."""

    def __init__(self, curve: Curve) -> None:
        self._curve = curve
        self._clear()

    def _clear(self) -> None:
        self._sums: dict[str, float] = {}
        self._count, self._heard_s, self._began = 0, 0.0, time.monotonic()

    def add(self, parts: dict[str, float], heard_s: float) -> None:
        for name, value in parts.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count, self._heard_s = self._count + 1, self._heard_s + heard_s

    def line(self) -> str:
        """What the progress bar says."""
        speed = self._heard_s / 3600 / max(1e-9, time.monotonic() - self._began)
        eer = f", EER {self._curve[-1]['eer']:.2f} %" if self._curve and "eer" in self._curve[-1] else ""
        heard = f", {speed:.4f} h of speech per second" if self._heard_s else ""
        return f"loss {self._sums['loss'] / self._count:.4f}{eer}{heard}"

    def point(self, step: int, eer: float | None) -> None:
        last = self._curve[-1] if self._curve else {"hours": 0.0, "minutes": 0.0}
        point = {"step": float(step)} | {k: v / self._count for k, v in self._sums.items()}
        point["hours"] = last["hours"] + self._heard_s / 3600
        point["minutes"] = last["minutes"] + (time.monotonic() - self._began) / 60
        self._curve.append(point | ({} if eer is None else {"eer": eer}))
        self._clear()

    def summary(self) -> str:
        """The last point in words."""
        return ", ".join(f"{k} {v:.4g}" for k, v in self._curve[-1].items())


def draw_curves(curve: Curve, path: Path) -> None:
    """Loss and EER against hours of speech heard, or steps where none is heard, as PNG."""
    from matplotlib.figure import Figure

    x, label = ("hours", "hours of speech heard") if curve[-1]["hours"] else ("step", "steps")
    figure = Figure(figsize=(7, 4), layout="constrained")
    left = figure.subplots()
    left.plot([p[x] for p in curve], [p["loss"] for p in curve], "C0.-")
    left.set(xlabel=label, ylabel="training loss")
    measured = [p for p in curve if "eer" in p]
    if measured:
        right = left.twinx()
        right.plot([p[x] for p in measured], [p["eer"] for p in measured], "C1.-")
        right.set_ylabel("EER on dev / %", color="C1")
    figure.savefig(path, dpi=110)
