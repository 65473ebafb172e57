"""Waveform and spectrogram as images, one column for each pixel of the screen."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor, QImage

from voicelane.gui.look.theme import Theme
from voicelane.gui.model.lanes import Lane
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.model.viewport import Viewport

NONE = 0
"""Transparent."""
MOST_COLOURS = 250


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
    middle, gain = height / 2, 0.48 * height
    top, bottom = np.floor(middle - gain * shaped(high)), np.ceil(middle - gain * shaped(low))
    rows = np.arange(height, dtype=np.int16)[:, None]
    inside = (rows >= top.astype(np.int16)) & (rows <= np.maximum(bottom, top + 1).astype(np.int16))
    numbers, colours = wave_colours(view, lanes, len(low), ratio, theme)
    return _image(inside * numbers, colours, ratio)


def shaped(amplitude: np.ndarray) -> np.ndarray:
    """Amplitudes with the quiet ones made visible: the square root, with the sign."""
    return np.sign(amplitude) * np.sqrt(np.abs(amplitude))


def wave_colours(
    view: Viewport, lanes: list[Lane], n: int, ratio: float, theme: Theme
) -> tuple[np.ndarray, list[int]]:
    """Number of the colour of each column, uint8 (n,), and the colours, of which the first is none."""
    found = np.ones(n, np.uint8)
    first, _, per_pixel = _columns(view, ratio)
    middles = (first + np.arange(n) + 0.5) * per_pixel
    for number, lane in enumerate(lanes[:MOST_COLOURS], 2):
        spans = lane.between(int(view.start), int(view.end))
        if spans.shape[1]:
            at = np.searchsorted(spans[0], middles, side="right") - 1
            found[(at >= 0) & (spans[1, np.maximum(at, 0)] > middles)] = number
        for turn in lane.tentative:
            found[(middles >= turn.start) & (middles < turn.end)] = number
    colours = [theme.speaker(lane.colour).rgba() for lane in lanes[:MOST_COLOURS]]
    return found, [NONE, QColor(theme.wave).rgba(), *colours]


def spectrogram_image(sound: SoundHistory, view: Viewport, ratio: float, table: list[int]) -> QImage | None:
    """64 bands high, low tones at the bottom; `table` has the 256 colours."""
    columns = sound.spectrogram(*_columns(view, ratio))
    return _image(columns.T[::-1], table, 1.0) if len(columns) else None


def overview_image(
    sound: SoundHistory, width: int, height: int, length: int, ratio: float, colour: str
) -> QImage | None:
    """The waveform of everything."""
    width, height = round(width * ratio), round(height * ratio)
    low, high = sound.waveform(0, width, max(1.0, length / width))
    if not len(low):
        return None
    reach = 0.48 * height * shaped(np.maximum(np.abs(low), np.abs(high)))
    inside = np.abs(np.arange(height)[:, None] - height / 2) <= np.maximum(reach, 0.5)
    return _image(inside.astype(np.uint8), [NONE, QColor(colour).rgba()], ratio)


def _columns(view: Viewport, ratio: float) -> tuple[int, int, float]:
    """Number of the first pixel of the screen, how many there are, and samples in each."""
    return round(view.first_column * ratio), round(view.width * ratio), view.per_pixel / ratio


def _image(numbers: np.ndarray, colours: list[int], ratio: float) -> QImage:
    """From numbers of colours, uint8 (height, width), in the screen's own format, which is drawn quickest."""
    height, width = numbers.shape
    numbers = np.ascontiguousarray(numbers)
    image = QImage(numbers.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(colours)
    formats = QImage.Format
    image = image.convertToFormat(
        formats.Format_ARGB32_Premultiplied if image.hasAlphaChannel() else formats.Format_RGB32
    )
    image.setDevicePixelRatio(ratio)
    return image
