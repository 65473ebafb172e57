"""What only some people want to change, behind a switch."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QFormLayout, QSpinBox, QVBoxLayout, QWidget

from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.widgets import label, number_field
from voicelane.gui.model.language import tr


class Advanced(QWidget):
    """A switch, and a form below it while it is on."""

    def __init__(self, name: str) -> None:
        """`name` is said by screen readers."""
        super().__init__()
        self.switch, self._form = QCheckBox(tr("Advanced")), QWidget()
        self.switch.setAccessibleName(name)
        self.switch.toggled.connect(self._form.setVisible)
        self._rows = QFormLayout(self._form)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setHorizontalSpacing(2 * GAP)
        self._rows.setVerticalSpacing(SMALL)
        self._form.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SMALL)
        column.addWidget(self.switch)
        column.addWidget(self._form)

    def add(self, name: str, widget: QWidget) -> None:
        """A setting under its name."""
        widget.setAccessibleName(name)
        self._rows.addRow(label(name, "quiet"), widget)

    def number(self, name: str, least: int, most: int, now: int, unit: str = "") -> QSpinBox:
        """A whole number."""
        found = number_field(least, most, now)
        found.setSuffix(unit)
        self.add(name, found)
        return found
