"""A recorded session with voices that are nobody's: what is asked before, and how far it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from voicelane import open_session
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import button, label
from voicelane.gui.model.language import later, percent, sentence, tr
from voicelane.gui.work.jobs import Course, Job
from voicelane.gui.work.studio import Studio
from voicelane.voices import Anonymised, anonymised_copy

REFRESH_MS = 60
WIDTH = 520
PERCENT = 100
ABOUT = later(
    "Everybody in {name} gets a voice that is nobody's, the same throughout, in a new folder with the same "
    "turns. What is said stays, with the names that are said in it."
)
OVERLAP = later(
    {
        False: "Where several speak at once: one voice for all of them",
        True: "Where several speak at once: silence",
    }
)
STEM = "anonymised"


class AnonymiseDialog(QDialog):
    """Options, a folder, and a bar while it is made."""

    def __init__(self, studio: Studio, parent: QWidget, name: str) -> None:
        """`name` is that of a recorded session."""
        super().__init__(parent)
        self._studio, self._name = studio, name
        self.course: Course | None = None
        """Of the work, while there is some."""
        self.setWindowTitle(tr("Export anonymised"))
        self.keep_names = QCheckBox(tr("Keep the names of people (else they are S1, S2, …)"))
        self.keep_names.setAccessibleName(tr("Keep the names of people"))
        self.overlap, self.folder = QComboBox(), QLineEdit(str(_unused(self._start())))
        for mute, words in OVERLAP.items():
            self.overlap.addItem(tr(words), mute)
        self.overlap.setAccessibleName(tr("Where several speak at once"))
        self.folder.setAccessibleName(tr("New folder"))
        self.choose = button(tr("In another folder …"), self._choose)
        self.bar, self.words = QProgressBar(), label("", wrap=True)
        self.bar.setRange(0, PERCENT)
        self.bar.setMaximumHeight(8)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress of the export"))
        self.words.setAccessibleName(tr("State of the export"))
        self.export_button = button(tr("Export"), self.export, primary=True)
        self.cancel_button = button(tr("Cancel"), self.close)
        self._assemble()
        self._timer = Ticking(self, studio, REFRESH_MS, self._tick)
        self._show()

    def _assemble(self) -> None:
        place, row = QHBoxLayout(), QHBoxLayout()
        for line in (place, row):
            line.setSpacing(SMALL)
        place.addWidget(self.folder, 1)
        place.addWidget(self.choose)
        row.addStretch(1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.export_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, 2 * GAP, 2 * GAP, GAP)
        layout.setSpacing(GAP)
        layout.addWidget(label(tr(ABOUT, name=self._name), "quiet", wrap=True))
        layout.addWidget(self.keep_names)
        layout.addWidget(self.overlap)
        layout.addLayout(place)
        for shown in (self.words, self.bar):
            layout.addWidget(shown)
        layout.addLayout(row)
        self.setMinimumWidth(WIDTH)

    def export(self) -> None:
        """Begin."""
        name, folder, config = self._name, Path(self.folder.text()), self._studio.preferences.now.config()
        mute, keep = bool(self.overlap.currentData()), self.keep_names.isChecked()
        course = self.course = Course()

        def work() -> Anonymised:
            session = open_session(name)
            whole = max(1, session.heard_samples())

            def progress(sample: int) -> None:
                course.reach(sample / whole)

            return anonymised_copy(session, folder, config, None, mute, keep, progress=progress)

        Job(work, self._done, self._failed)
        self.words.setText(tr("listening to every voice …"))
        self._timer.wake()
        self._show()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Leaving it leaves nothing behind."""
        if self.course is not None:
            self.course.cancel()  # it is told when the work has ended, and goes then
        else:
            self.deleteLater()
        event.accept()

    def reject(self) -> None:
        """What Escape does."""
        self.close()

    def _done(self, found: Anonymised | None) -> None:
        """It is there, or was cancelled."""
        self.course = None
        if found is not None:
            self._studio.told.emit(tr("{name} is anonymised: {folder}", name=self._name, folder=found.folder))
            for remark in found.remarks:
                self._studio.told.emit(remark)
        self.close()

    def _failed(self, problem: str) -> None:
        self.course = None
        self.words.setText(sentence(problem))
        self._show()
        if not self.isVisible():
            self.deleteLater()

    def _choose(self) -> None:
        if parent := self._studio.files.folder(self, tr("Where the new folder is made")):
            self.folder.setText(str(_unused(Path(parent))))

    def _start(self) -> Path:
        kept = Path(self._studio.preferences.now.folder or Path.home())
        return kept if kept.is_dir() else Path.home()

    def _show(self) -> None:
        idle = self.course is None
        for widget in (self.keep_names, self.overlap, self.folder, self.choose, self.export_button):
            widget.setEnabled(idle)
        self.bar.setVisible(not idle)
        self.words.setVisible(bool(self.words.text()))

    def _tick(self) -> None:
        if self.course is None:
            return
        self._timer.wake()
        share = self.course.share
        self.bar.setValue(round(PERCENT * share))
        if share:
            self.words.setText(tr("{percent} of the sound has new voices", percent=percent(share)))


def _unused(parent: Path) -> Path:
    """A folder in another one that is not there yet; its name says nothing of whom it holds."""
    names = (f"{STEM}-{k}" for k in range(1, 1_000_000))
    return next(parent / name for name in names if not (parent / name).exists())
