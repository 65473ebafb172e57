"""Waveform and spectrogram as images, one column for each pixel of the screen."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor, QImage

from gui.lanes import Lane
from gui.sound import SoundHistory
from gui.theme import Theme
from gui.viewport import Viewport


def waveform_image(
    sound: SoundHistory, view: Viewport, lanes: list[Lane], height: int, ratio: float, theme: Theme
) -> QImage | None:
    """Low to high for each pixel, in the colour of who speaks there; None where there is no sound.

    `ratio` is the number of pixels of the screen in one of the window.
    """
    first, n, per_pixel = _columns(view, ratio)
    low, high = sound.waveform(first, n, per_pixel)
    if not len(low):
        return None
    height = round(height * ratio)
    gain = 0.48 * height
    middle = height / 2
    top, bottom = np.floor(middle - gain * shaped(high)), np.ceil(middle - gain * shaped(low))
    rows = np.arange(height)[:, None]
    inside = (rows >= top) & (rows <= np.maximum(bottom, top + 1))
    return _image(np.where(inside, wave_colours(view, lanes, len(low), ratio, theme), np.uint32(0)), ratio)


def shaped(amplitude: np.ndarray) -> np.ndarray:
    """Amplitudes with the quiet ones made visible: the square root, with the sign."""
    return np.sign(amplitude) * np.sqrt(np.abs(amplitude))


def wave_colours(view: Viewport, lanes: list[Lane], n: int, ratio: float, theme: Theme) -> np.ndarray:
    """Colour of each column, uint32 (n,)."""
    found = np.full(n, QColor(theme.wave).rgba(), np.uint32)
    first, _, per_pixel = _columns(view, ratio)
    middles = (first + np.arange(n) + 0.5) * per_pixel
    for lane in lanes:
        spans = lane.between(int(view.start), int(view.end))
        if spans.shape[1]:
            at = np.searchsorted(spans[0], middles, side="right") - 1
            spoken = (at >= 0) & (spans[1, np.maximum(at, 0)] > middles)
            found[spoken] = np.uint32(theme.speaker(lane.colour).rgba())
    return found


def spectrogram_image(sound: SoundHistory, view: Viewport, ratio: float, table: np.ndarray) -> QImage | None:
    """64 bands high, low tones at the bottom; `table` has the colours."""
    columns = sound.spectrogram(*_columns(view, ratio))
    return _image(table[columns.T[::-1]], 1.0) if len(columns) else None


def overview_image(sound: SoundHistory, width: int, height: int, length: int, colour: str) -> QImage | None:
    """The waveform of everything."""
    low, high = sound.waveform(0, width, max(1.0, length / width))
    if not len(low):
        return None
    reach = 0.48 * height * shaped(np.maximum(np.abs(low), np.abs(high)))
    inside = np.abs(np.arange(height)[:, None] - height / 2) <= np.maximum(reach, 0.5)
    return _image(np.where(inside, np.uint32(QColor(colour).rgba()), np.uint32(0)), 1.0)


def _columns(view: Viewport, ratio: float) -> tuple[int, int, float]:
    """Number of the first pixel of the screen, how many there are, and samples in each."""
    return round(view.first_column * ratio), round(view.width * ratio), view.per_pixel / ratio


def _image(pixels: np.ndarray, ratio: float) -> QImage:
    """From uint32 0xAARRGGBB (height, width)."""
    pixels = np.ascontiguousarray(pixels, np.uint32)
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32).copy()
    image.setDevicePixelRatio(ratio)
    return image
