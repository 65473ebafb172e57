"""Colours and shapes, light and dark, that people with any colour vision can tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from voicelane.sessions import SPEAKER_COLOURS

ASSETS = (Path(__file__).parents[1] / "assets").as_posix()
SMALL, GAP, RADIUS = 6, 12, 8
"""Pixels: between things that belong together, between things that do not, of round corners."""

PATTERNS = (
    Qt.BrushStyle.SolidPattern,
    Qt.BrushStyle.Dense3Pattern,
    Qt.BrushStyle.DiagCrossPattern,
    Qt.BrushStyle.VerPattern,
)
"""Of the first twelve speakers, the next twelve, …"""


@dataclass(frozen=True)
class Theme:
    """All colours of one appearance, as #rrggbb."""

    dark: bool
    window: str
    panel: str
    raised: str
    line: str
    text: str
    quiet: str
    """Text that matters less."""
    accent: str
    on_accent: str
    selected: str
    """Behind the chosen row of a table or list."""
    good: str
    warning: str
    bad: str
    canvas: str
    """Behind waveform and lanes."""
    stripe: str
    """Behind every second lane."""
    wave: str
    gap: str
    speakers: tuple[str, ...]
    """Twelve that stand out from the canvas and differ from each other in the eyes of everybody, those who
    see no red, green or blue included: found by a search for the greatest least distance."""
    heat: tuple[str, ...]
    """Of the spectrogram, from silent to loud."""

    def speaker(self, number: int) -> QColor:
        """Of a speaker; behind the twelfth the colours come again."""
        return QColor(self.speakers[number % len(self.speakers)])

    def brush(self, number: int) -> QBrush:
        """What a speaker's turns are filled with: the colour, and a pattern where it comes again."""
        again = min(number // len(self.speakers), len(PATTERNS) - 1)
        return QBrush(self.speaker(number), PATTERNS[again])

    def heat_table(self) -> list[int]:
        """The spectrogram's 256 colours, 0xffRRGGBB."""
        colours = [QColor(c) for c in self.heat]
        stops = np.array([(c.red(), c.green(), c.blue()) for c in colours], np.float64)
        at, places = np.linspace(0, len(stops) - 1, 256), np.arange(len(stops))
        red, green, blue = (np.interp(at, places, stops[:, i]).astype(int) for i in range(3))
        return (0xFF000000 | red << 16 | green << 8 | blue).tolist()


LIGHT = Theme(
    dark=False,
    window="#eef0f3",
    panel="#ffffff",
    raised="#f4f6f8",
    line="#d5dae1",
    text="#171b21",
    quiet="#5b6573",
    accent="#0b66b5",
    on_accent="#ffffff",
    selected="#c6def4",
    good="#00795a",
    warning="#8f5f00",
    bad="#b83a0b",
    canvas="#ffffff",
    stripe="#f6f8fa",
    wave="#45566c",
    gap="#c9ced6",
    speakers=SPEAKER_COLOURS,
    heat=("#ffffff", "#e3edf6", "#a9cbe6", "#5b97c6", "#2c5f94", "#15254a"),
)
DARK = Theme(
    dark=True,
    window="#14171c",
    panel="#1c2027",
    raised="#252a33",
    line="#343b47",
    text="#e9edf2",
    quiet="#9aa5b4",
    accent="#4aa3e8",
    on_accent="#0b1117",
    selected="#1f4a70",
    good="#3fc79a",
    warning="#f0b03f",
    bad="#ff7a45",
    canvas="#171a20",
    stripe="#1b1f26",
    wave="#8fa2ba",
    gap="#3a414d",
    speakers=(
        "#44ddff",
        "#ffbb00",
        "#ee77bb",
        "#bbee88",
        "#7755ff",
        "#ff1100",
        "#7799ff",
        "#aaaa77",
        "#aa44aa",
        "#ffdddd",
        "#cc3333",
        "#776666",
    ),
    heat=("#171a20", "#1d2b45", "#2a4f80", "#3f8fa8", "#8fd0a0", "#f7f3c0"),
)


def chosen(name: str) -> Theme:
    """`light`, `dark`, or what the system shows."""
    if name != "system":
        return DARK if name == "dark" else LIGHT
    scheme = QGuiApplication.styleHints().colorScheme()
    return DARK if scheme == Qt.ColorScheme.Dark else LIGHT


def apply(app: QApplication, theme: Theme) -> None:
    """Give all widgets these colours."""
    app.setStyle("Fusion")
    app.setPalette(palette(theme))
    app.setStyleSheet(style_sheet(theme))


def palette(theme: Theme) -> QPalette:
    """Qt's colour roles."""
    found, role = QPalette(), QPalette.ColorRole
    for which, colour in {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.panel,
        role.AlternateBase: theme.raised,
        role.Text: theme.text,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.bad,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.quiet,
        role.Link: theme.accent,
        role.Mid: theme.line,
        role.Dark: theme.line,
        role.Light: theme.raised,
    }.items():
        found.setColor(which, QColor(colour))
    for which in (role.Text, role.WindowText, role.ButtonText):
        found.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.quiet))
    return found


def style_sheet(t: Theme) -> str:
    """What the palette cannot say."""
    return f"""
    QWidget {{ font-size: 13px; }}
    QToolTip {{ color: {t.text}; background: {t.raised}; border: 1px solid {t.line}; padding: 4px; }}
    QFrame[card="true"] {{ background: {t.panel}; border: 1px solid {t.line}; border-radius: {RADIUS}px; }}
    QLabel[role="title"] {{ font-size: 20px; font-weight: 600; }}
    QLabel[role="heading"] {{ font-weight: 600; }}
    QLabel[role="quiet"] {{ color: {t.quiet}; }}
    QLabel[role="clock"] {{ font-size: 22px; font-weight: 600; }}
    QLabel[role="big"] {{ font-size: 34px; font-weight: 600; }}
    QPushButton, QToolButton {{
        background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; border-radius: 6px;
        padding: 6px 12px; min-height: 18px;
    }}
    QToolButton {{ padding: 5px; }}
    QPushButton:hover, QToolButton:hover {{ border-color: {t.accent}; }}
    QPushButton:pressed, QToolButton:pressed {{ background: {t.line}; }}
    QPushButton:focus, QToolButton:focus, QLineEdit:focus, NoteField:focus, QComboBox:focus,
    QSpinBox:focus {{
        border: 1px solid {t.accent};
    }}
    QPushButton:disabled, QToolButton:disabled {{ color: {t.quiet}; background: {t.panel}; }}
    QPushButton[primary="true"] {{
        background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; font-weight: 600;
    }}
    QPushButton[primary="true"]:disabled {{ background: {t.line}; border-color: {t.line}; color: {t.quiet}; }}
    QPushButton[danger="true"]:enabled {{ color: {t.bad}; }}
    QToolButton:checked {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
    QToolButton::menu-indicator {{ image: none; }}
    QFrame#rail {{ background: {t.panel}; border: none; border-right: 1px solid {t.line}; }}
    QFrame#rail QToolButton {{ border: none; background: transparent; color: {t.quiet}; padding: 7px 2px; }}
    QFrame#rail QToolButton:hover {{ color: {t.text}; background: {t.raised}; }}
    QFrame#rail QToolButton:checked {{ color: {t.accent}; background: {t.raised}; }}
    QFrame#rail QToolButton:focus {{ border: 1px solid {t.accent}; }}
    QFrame#banner {{ background: {t.raised}; border: 1px solid {t.warning}; border-radius: 6px; }}
    QFrame#toast {{ background: {t.selected}; border: 1px solid {t.accent}; border-radius: 6px; }}
    QFrame#tour {{ background: {t.panel}; border: 1px solid {t.accent}; border-radius: 6px; }}
    QLineEdit, NoteField, QComboBox, QSpinBox {{
        background: {t.panel}; color: {t.text}; border: 1px solid {t.line}; border-radius: 6px;
        padding: 5px 8px; min-height: 20px; selection-background-color: {t.accent};
    }}
    QComboBox:disabled, QSpinBox:disabled {{ color: {t.quiet}; background: {t.raised}; }}
    QComboBox:hover, QSpinBox:hover {{ border-color: {t.accent}; }}
    QComboBox {{ combobox-popup: 0; }}
    QComboBox::drop-down {{ border: none; width: 26px; }}
    QComboBox::down-arrow, QSpinBox::down-arrow {{ image: url({ASSETS}/down.svg); }}
    QSpinBox::up-arrow {{ image: url({ASSETS}/up.svg); }}
    QComboBox::down-arrow, QSpinBox::down-arrow, QSpinBox::up-arrow {{ width: 14px; height: 14px; }}
    QSpinBox {{ padding-left: 10px; }}
    QSpinBox QLineEdit {{ border: none; padding: 0; background: transparent; min-height: 18px; }}
    QSpinBox::up-button, QSpinBox::down-button {{ border: none; background: transparent; width: 22px; }}
    QComboBox QAbstractItemView {{
        background: {t.panel}; color: {t.text}; border: 1px solid {t.line};
        selection-background-color: {t.accent}; selection-color: {t.on_accent};
    }}
    QCheckBox {{ spacing: 8px; }}
    QCheckBox:disabled {{ color: {t.quiet}; }}
    QCheckBox::indicator {{
        width: 15px; height: 15px; border: 1px solid {t.quiet}; border-radius: 4px; background: {t.panel};
    }}
    QCheckBox::indicator:disabled {{ border-color: {t.line}; }}
    QCheckBox::indicator:focus {{ border-color: {t.accent}; }}
    QCheckBox::indicator:checked {{
        background: {t.accent}; border-color: {t.accent};
        image: url({ASSETS}/check-{"dark" if t.dark else "light"}.svg);
    }}
    QListView, QTableView, QTreeView {{
        background: {t.panel}; border: none; outline: none; alternate-background-color: {t.raised};
    }}
    QTableView {{ gridline-color: {t.line}; }}
    QTableView::item {{ padding: 4px 8px; }}
    QTableView::item:selected, QListView::item:selected {{ background: {t.selected}; color: {t.text}; }}
    QComboBox QAbstractItemView::item {{ padding: 4px 8px; min-height: 20px; }}
    QComboBox QAbstractItemView::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
    QHeaderView::section {{
        background: {t.panel}; color: {t.quiet}; border: none; border-bottom: 1px solid {t.line};
        padding: 6px 8px; font-weight: 600;
    }}
    QProgressBar {{
        background: {t.raised}; border: none; border-radius: 3px; height: 6px; text-align: center;
    }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QSlider:horizontal {{ min-height: 22px; border: 1px solid transparent; border-radius: 6px; }}
    QSlider:focus {{ border-color: {t.accent}; }}
    QSlider::groove:horizontal {{ height: 4px; background: {t.line}; border-radius: 2px; }}
    QSlider::handle:horizontal {{
        width: 14px; margin: -5px 0; border-radius: 7px; background: {t.accent};
    }}
    QMenu {{ background: {t.panel}; border: 1px solid {t.line}; padding: 4px; }}
    QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
    QMenu::item:disabled {{ color: {t.quiet}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px; }}
    QMenuBar {{ background: {t.panel}; border-bottom: 1px solid {t.line}; }}
    QMenuBar::item {{ padding: 5px 10px; background: transparent; }}
    QMenuBar::item:selected {{ background: {t.raised}; border-radius: 4px; }}
    QStatusBar {{ background: {t.panel}; border-top: 1px solid {t.line}; }}
    QStatusBar::item {{ border: none; }}
    QStatusBar QPushButton {{ border: none; background: transparent; padding: 2px 8px; color: {t.quiet}; }}
    QStatusBar QPushButton:hover {{ color: {t.text}; }}
    QStatusBar QPushButton:focus {{ border: 1px solid {t.accent}; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar::handle:vertical {{ background: {t.line}; border-radius: 5px; min-height: 24px; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle:horizontal {{ background: {t.line}; border-radius: 5px; min-width: 24px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
    QAbstractScrollArea::corner {{ background: transparent; border: none; }}
    QSplitter::handle {{ background: transparent; }}
    QScrollArea {{ border: none; background: transparent; }}
    QScrollArea > QWidget > QWidget {{ background: transparent; }}
    """
