"""Colours that everybody can read and tell apart, in every appearance."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QComboBox, QSpinBox, QTableWidget, QTableWidgetItem

from voicelane.gui.look.theme import DARK, LIGHT, apply

pytestmark = pytest.mark.qt

THEMES = {"light": LIGHT, "dark": DARK}
READABLE, VISIBLE = 4.5, 3.0
"""Contrast ratios of WCAG for text, and for what is no text."""
DIFFERENT = 20.0
"""Distance in CIELAB between two colours that nobody takes for one."""
EYES = {
    "all colours": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
"""What is left of linear RGB (Machado, Oliveira and Fernandes 2009, severity 1)."""
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str | QColor) -> np.ndarray:
    """Linear RGB (3,)."""
    parts = np.array(QColor(colour).getRgbF()[:3])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str | QColor, other: str | QColor) -> float:
    """WCAG's ratio, 1 … 21."""
    dark, light = sorted(float(XYZ[1] @ linear(c)) for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, eyes: np.ndarray) -> np.ndarray:
    x, y, z = np.clip(np.asarray(eyes) @ linear(colour), 0, 1) @ XYZ.T / XYZ.sum(axis=1)
    fx, fy, fz = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_read_on_whatever_it_stands(name):
    t = THEMES[name]
    behind = (t.window, t.panel, t.raised)
    pairs = [(text, back) for text in (t.text, t.quiet) for back in behind]
    pairs += [(t.text, t.selected), (t.on_accent, t.accent), (t.accent, t.raised), (t.accent, t.panel)]
    pairs += [(mark, t.panel) for mark in (t.good, t.warning, t.bad)]
    assert {pair: contrast(*pair) for pair in pairs if contrast(*pair) < READABLE} == {}


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("eyes", EYES)
def test_twelve_speakers_differ_in_everybody_s_eyes(name, eyes):
    theme = THEMES[name]
    assert len(set(theme.speakers)) == 12
    seen = {c: lab(c, EYES[eyes]) for c in theme.speakers}
    near = {p: np.linalg.norm(seen[p[0]] - seen[p[1]]) for p in combinations(seen, 2)}
    assert min(near.values()) > DIFFERENT, min(near, key=near.get)


@pytest.mark.parametrize("name", THEMES)
def test_every_speaker_stands_out_from_the_canvas_and_the_thirteenth_has_a_pattern(name):
    theme = THEMES[name]
    for number in range(40):
        for behind in (theme.canvas, theme.stripe):
            assert contrast(theme.speaker(number), behind) > VISIBLE, (number, behind)
    looks = {(theme.brush(n).color().name(), theme.brush(n).style()) for n in range(48)}
    assert len(looks) == 48


def colours(widget, rect) -> list[QColor]:
    """Of all pixels of a part of a widget, the most frequent first."""
    image = widget.grab(rect).toImage()
    found: dict[int, int] = {}
    for x in range(image.width()):
        for y in range(image.height()):
            found[image.pixel(x, y)] = found.get(image.pixel(x, y), 0) + 1
    return [QColor(c) for c in sorted(found, key=found.get, reverse=True)]


@pytest.mark.parametrize("name", THEMES)
def test_the_chosen_line_can_be_read_and_seen_as_it_is_drawn(qtbot, name):
    """Lists and tables, from their pixels: text on the highlight, the highlight beside its neighbours."""
    theme, app = THEMES[name], QApplication.instance()
    apply(app, theme)
    box, table = QComboBox(), QTableWidget(4, 1)
    qtbot.addWidget(box)
    qtbot.addWidget(table)
    table.setAlternatingRowColors(True)
    box.addItems(["one", "two", "three", "four"])
    for row in range(4):
        table.setItem(row, 0, QTableWidgetItem(f"HHHHHH {row}"))
    box.setCurrentIndex(1)
    box.show()
    box.showPopup()
    table.show()
    table.selectRow(2)
    for view in (box.view(), table):
        at = [view.visualRect(view.model().index(row, 0)) for row in range(4)]
        rows = [colours(view.viewport(), rect & view.viewport().rect()) for rect in at]
        chosen = rows[1 if view is box.view() else 2]
        assert max(contrast(chosen[0], c) for c in chosen) > READABLE
        for other in rows:
            assert other is chosen or contrast(other[0], chosen[0]) > 1.2, (name, view)
    box.hidePopup()


def test_numbers_keep_off_the_border_of_their_field(window):
    """Their first letter is drawn where a field for text has its own, give or take a pixel."""
    fields = window.findChildren(QSpinBox)
    assert len(fields) >= 3
    for field in fields:
        edit = field.lineEdit()
        assert edit.geometry().left() + edit.textMargins().left() >= 8, field.accessibleName()
