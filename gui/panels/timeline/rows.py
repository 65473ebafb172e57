"""Where the rows of the timeline lie: plain arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

HEADER, RULER, STRIP, OVERVIEW, SPACE = 148, 24, 10, 34, 6
"""Pixels: width of the names' column, heights of the rows that never change."""
LANE, LEAST_LANE = 54, 14
LANES_SHARE = 0.48
"""Of what is free, at most, for all lanes, unless there are so many that they need it all."""
LEAST_PICTURE = 34


@dataclass(frozen=True)
class Rows:
    """Tops and heights in pixels."""

    width: int
    height: int
    n_lanes: int
    spectrogram_on: bool = True

    @property
    def lanes_room(self) -> int:
        """For all lanes."""
        free = self.height - RULER - STRIP - OVERVIEW - 3 * SPACE
        least = min(max(1, self.n_lanes) * LEAST_LANE, free - LEAST_PICTURE)
        return max(least, min(max(1, self.n_lanes) * LANE, int(LANES_SHARE * free)))

    @property
    def lane(self) -> int:
        """Height of a lane."""
        return max(LEAST_LANE, self.lanes_room // max(1, self.n_lanes))

    @property
    def pictures(self) -> int:
        """For waveform and spectrogram together."""
        free = self.height - RULER - STRIP - OVERVIEW - 3 * SPACE - self.lanes_room
        return max(LEAST_PICTURE, free)

    @property
    def wave(self) -> tuple[int, int]:
        """Top and height, as the others."""
        return RULER, self.pictures // 2 if self.spectrogram_on else self.pictures

    @property
    def spectrogram(self) -> tuple[int, int]:
        top, height = self.wave
        return top + height, self.pictures - height

    @property
    def strip(self) -> tuple[int, int]:
        """Of the voice activity."""
        return RULER + self.pictures + SPACE, STRIP

    @property
    def lanes(self) -> tuple[int, int]:
        top, height = self.strip
        return top + height + SPACE, self.height - OVERVIEW - SPACE - (top + height + SPACE)

    @property
    def overview(self) -> tuple[int, int]:
        return self.height - OVERVIEW, OVERVIEW

    def lane_top(self, number: int) -> int:
        return self.lanes[0] + number * self.lane

    def lane_at(self, y: float) -> int | None:
        """Number of the lane at a height; None where there is none."""
        number = int((y - self.lanes[0]) // self.lane)
        return number if 0 <= number < self.n_lanes else None
