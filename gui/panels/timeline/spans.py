"""Turns as pixels: what lies closer together than a pixel is drawn as one."""

from __future__ import annotations

import numpy as np

from voicelane.gui.model.lanes import Lane
from voicelane.gui.model.viewport import Viewport


def pixels(spans: np.ndarray, view: Viewport) -> np.ndarray:
    """Left and right pixel (2, n) of spans of samples (2, m) in order of time, n ≤ m and n ≤ pixels."""
    if not spans.shape[1]:
        return spans
    left = np.floor(spans[0] / view.per_pixel).astype(np.int64) - view.first_column
    right = np.maximum(np.ceil(spans[1] / view.per_pixel).astype(np.int64) - view.first_column, left + 1)
    reach = np.maximum.accumulate(right)
    first = np.concatenate(([True], left[1:] > reach[:-1]))
    last = np.concatenate((first[1:], [True]))
    return np.clip(np.stack((left[first], reach[last])), -50, view.width + 50)


def overlaps(lanes: list[Lane], view: Viewport) -> np.ndarray:
    """Spans of samples (2, n) of the visible part where more than one lane has a confirmed turn."""
    visible = [lane.between(int(view.start), int(view.end)) for lane in lanes]
    spans = np.concatenate(visible, axis=1) if visible else np.zeros((2, 0), np.int64)
    places = np.concatenate((spans[0], spans[1]))
    steps = np.repeat((1, -1), spans.shape[1])
    order = np.lexsort((steps, places))  # an end before a beginning at the same sample
    places, count = places[order], np.cumsum(steps[order])
    at = np.flatnonzero(count[:-1] >= 2) if len(count) else np.zeros(0, np.int64)
    found = np.stack((places[at], places[at + 1])) if len(at) else np.zeros((2, 0), np.int64)
    return found[:, found[1] > found[0]]
