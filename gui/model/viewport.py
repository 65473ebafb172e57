"""Which part of the sound is on the screen: plain arithmetic of samples and pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QLocale

from voicelane import SAMPLE_RATE

CLOSEST, WIDEST = 16.0, SAMPLE_RATE * 60.0
"""Samples per pixel."""
LEAD = 0.06
"""Share of the width that stays free right of the newest sound while the view follows it."""


@dataclass(frozen=True)
class Viewport:
    """Samples `start` … of the stream, `per_pixel` of them in each of `width` pixels."""

    start: float = 0.0
    per_pixel: float = SAMPLE_RATE / 40
    width: int = 800
    follow: bool = True
    """Whether the newest sound stays in sight."""

    @property
    def end(self) -> float:
        return self.start + self.width * self.per_pixel

    @property
    def first_column(self) -> int:
        """Number of the leftmost pixel, counted from sample 0, so that pictures do not shimmer."""
        return round(self.start / self.per_pixel)

    def x(self, sample: float) -> float:
        """Pixel of a sample."""
        return (sample - self.first_column * self.per_pixel) / self.per_pixel

    def sample(self, x: float) -> int:
        """Sample of a pixel, at least 0."""
        return max(0, round((self.first_column + x) * self.per_pixel))

    def resized(self, width: int) -> Viewport:
        return replace(self, width=max(1, width))

    def zoomed(self, factor: float, x: float, length: int) -> Viewport:
        """`factor` times closer, the sound at pixel `x` staying where it is."""
        widest = max(CLOSEST, min(WIDEST, 1.1 * max(length, SAMPLE_RATE * 10) / self.width))
        per_pixel = min(max(self.per_pixel / factor, CLOSEST), widest)
        start = self.start + x * (self.per_pixel - per_pixel)
        return (
            replace(self, per_pixel=per_pixel).moved_to(start, length)
            if not self.follow
            else (replace(self, per_pixel=per_pixel).following(length))
        )

    def moved_to(self, start: float, length: int) -> Viewport:
        """The same zoom from another sample on, which ends the following."""
        last = max(0.0, length - 0.5 * self.width * self.per_pixel)
        return replace(self, start=min(max(0.0, start), last), follow=False)

    def scrolled(self, pixels: float, length: int) -> Viewport:
        return self.moved_to(self.start + pixels * self.per_pixel, length)

    def following(self, length: int) -> Viewport:
        """With the newest sound near the right edge."""
        start = length - (1 - LEAD) * self.width * self.per_pixel
        return replace(self, start=max(0.0, start), follow=True)

    def whole(self, length: int) -> Viewport:
        """Everything at once."""
        per_pixel = min(max(1.02 * max(length, SAMPLE_RATE) / self.width, CLOSEST), WIDEST)
        return replace(self, start=0.0, per_pixel=per_pixel, follow=False)

    def showing(self, sample: int, length: int) -> Viewport:
        """Moved, if need be, until a sample is on the screen."""
        if self.start <= sample <= self.end:
            return self
        return self.moved_to(sample - 0.3 * self.width * self.per_pixel, length)


def tick_step_s(per_pixel: float, least_px: float = 90.0) -> float:
    """Seconds between two labels of a ruler that lie at least `least_px` apart."""
    least = least_px * per_pixel / SAMPLE_RATE
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
    return float(next((s for s in steps if s >= least), 14_400))


def clock(time_s: float, digits: int = 0) -> str:
    """m:ss, or h:mm:ss from an hour on, with so many decimals."""
    ticks = round(time_s * 10**digits)
    whole, rest = divmod(ticks, 10**digits)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
    return f"{text}{QLocale().decimalPoint()}{rest:0{digits}d}" if digits else text
