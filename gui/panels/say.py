"""A text, the voice that says it, and the speech: heard, saved, or left on the way."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from voicelane.base import seconds
from voicelane.gui.look.theme import SMALL
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import Stretch, button, card, label, row_of
from voicelane.gui.model.language import later, number, tr
from voicelane.gui.model.level import noise_words
from voicelane.gui.panels.advanced import Advanced
from voicelane.gui.panels.meter import Meter
from voicelane.gui.panels.notes import NoteField
from voicelane.gui.panels.transport import sound_files
from voicelane.gui.work.enrolling import JUDGING, PREPARING, RECORDING, too_little
from voicelane.gui.work.studio import Studio
from voicelane.gui.work.voicing import IDLE, REFERENCE, SAMPLE, SAVING, SAYING, Wanted
from voicelane.voices import SPEEDS

REFRESH_MS = 60
TEXT_HEIGHT = 76
PERCENT = 100
QWIDGETSIZE_MAX = (1 << 24) - 1
"""As Qt calls a size without a bound."""
OF_RECORDING = later("a recording …")
HOW = later("A recording of one person who agrees: ten seconds of talk or more, without noise or music.")
SAVED_AS = later("Sound (*.wav *.flac *.ogg *.opus *.mp3)")
WORDS = later({IDLE: "", SAYING: "saying it …", SAVING: "saving …"})


class Say(QFrame):
    """A field for text, a choice of voices, and what becomes of it."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._voicing = studio, studio.voicing
        frame, layout = card(tr("Say a text"))
        self.text, self.voice = NoteField(), QComboBox()
        self.text.setMaximumHeight(QWIDGETSIZE_MAX)
        self.text.setPlaceholderText(tr("What is to be said, in English"))
        self.text.setAccessibleName(tr("Text to say"))
        self.text.textChanged.connect(self._show)
        self.text.textChanged.connect(self._voicing.prepare)
        self.voice.setAccessibleName(tr("Voice that says it"))
        self.voice.currentIndexChanged.connect(self._show)
        self.say_button = button(tr("Say it"), self._say_or_cancel, primary=True)
        self.again = button(tr("Hear again"), self._hear_or_stop)
        self.save_button = button(tr("Save …"), self._save)
        self.advanced = Advanced(tr("Advanced settings of the speech"))
        low, high = (round(PERCENT * speed) for speed in SPEEDS)
        self.speed = self.advanced.number(tr("Speed"), low, high, PERCENT, " %")
        self.language = QLineEdit("en")
        self.language.setToolTip(tr("Two letters; others than en need the program espeak-ng"))
        self.advanced.add(tr("Language of the text"), self.language)
        layout.addWidget(label(tr("Say a text"), "heading"))
        layout.addWidget(Stretch(self.text, TEXT_HEIGHT), 1)
        layout.addWidget(label(tr("in the voice of"), "quiet"))
        layout.addWidget(self.voice)
        layout.addWidget(self._reference())
        layout.addLayout(row_of(self.say_button, self.again, self.save_button))
        layout.addWidget(self._progress())
        layout.addWidget(self.advanced)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._timer = Ticking(self, studio, REFRESH_MS, self._tick)
        self._voicing.listed.connect(self._fill)
        for source in (self._voicing, self._voicing.reference, self._voicing.player):
            source.changed.connect(self._show)
        self._fill()

    def listen(self, kind: str, name: str) -> None:
        """Let a voice be heard, with a sentence of its own."""
        self._choose(kind, name)
        self._voicing.say(Wanted(SAMPLE, kind, name))

    def _reference(self) -> QWidget:
        """Where a recording is the voice: from where, and how good it is."""
        self.reference = QWidget()
        self.record = button(tr("Record"), self._record_or_stop)
        self.file = button(tr("From a file …"), self._choose_file)
        self.meter, self.report = Meter(self._studio), label("", "quiet", wrap=True)
        self.report.setAccessibleName(tr("Quality of the reference"))
        column = QVBoxLayout(self.reference)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SMALL)
        column.addLayout(row_of(self.record, self.file, self.meter))
        column.addWidget(self.report)
        return self.reference

    def _progress(self) -> QWidget:
        """How far it is."""
        holder, self.bar, self.words = QWidget(), QProgressBar(), label("", "quiet")
        self.bar.setRange(0, PERCENT)
        self.bar.setMaximumHeight(8)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress of the speech"))
        self.words.setAccessibleName(tr("State of the speech"))
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.words)
        row.addWidget(self.bar, 1)
        holder.setMinimumHeight(self.words.sizeHint().height())
        return holder

    def _fill(self) -> None:
        """All voices, and that of a recording."""
        chosen = self.voice.currentData()
        self.voice.blockSignals(True)
        self.voice.clear()
        for entry in self._voicing.gallery.entries:
            self.voice.addItem(f"{entry.name} ({entry.whose})", (entry.kind, entry.name))
        self.voice.addItem(tr(OF_RECORDING), (REFERENCE, ""))
        self.voice.blockSignals(False)
        kind, name = chosen or (REFERENCE, "")
        self._choose(kind, name, instead=0)

    def _choose(self, kind: str, name: str, instead: int = -1) -> None:
        wanted = [self.voice.itemData(i) for i in range(self.voice.count())]
        at = wanted.index((kind, name)) if (kind, name) in wanted else instead
        if kind == REFERENCE and self._voicing.reference.found is None and instead >= 0:
            at = instead
        if at >= 0:
            self.voice.setCurrentIndex(at)
        self._show()

    def _say_or_cancel(self) -> None:
        if self._voicing.state == SAYING:
            self._voicing.cancel()
            return
        kind, name = self.voice.currentData()
        speed, language = self.speed.value() / PERCENT, self.language.text().strip() or "en"
        self._voicing.say(Wanted(self.text.toPlainText(), kind, name, speed, language))

    def _hear_or_stop(self) -> None:
        if self._voicing.player.busy:
            self._voicing.player.stop()
        else:
            self._voicing.play()

    def _save(self) -> None:
        path = self._studio.files.to_save(self, tr("Save the speech"), "speech.wav", tr(SAVED_AS))
        if path:
            self._voicing.save(Path(path))

    def _record_or_stop(self) -> None:
        if self._voicing.reference.state == RECORDING:
            self._voicing.reference.stop()
        else:
            self._voicing.record_reference()

    def _choose_file(self) -> None:
        path = self._studio.files.to_open(self, tr("Choose a recording of one person"), sound_files())
        if path:
            self._voicing.hear_reference(path)

    def _show(self) -> None:
        """What can be done now."""
        voicing, state = self._voicing, self._voicing.state
        self.say_button.setText(tr("Cancel") if state == SAYING else tr("Say it"))
        self.say_button.setAccessibleName(self.say_button.text())
        self.say_button.setEnabled(state == SAYING or (state == IDLE and not voicing.missing))
        there = voicing.spoken is not None and state == IDLE
        self.again.setEnabled(there)
        self.again.setText(tr("Stop") if voicing.player.busy else tr("Hear again"))
        self.again.setAccessibleName(self.again.text())
        self.save_button.setEnabled(there)
        self.voice.setEnabled(state == IDLE)
        self._show_reference()
        self._tick()

    def _show_reference(self) -> None:
        reference = self._voicing.reference
        recording = reference.state == RECORDING
        self.reference.setVisible(self.voice.currentData() == (REFERENCE, ""))
        self.record.setText(tr("Stop") if recording else tr("Record"))
        self.record.setAccessibleName(
            tr("Stop recording the reference") if recording else tr("Record a reference")
        )
        self.record.setEnabled(reference.state not in (PREPARING, JUDGING))
        self.file.setEnabled(reference.state not in (PREPARING, RECORDING, JUDGING))
        self.meter.setVisible(recording)
        self.report.setText(self._report())

    def _report(self) -> str:
        """How good the reference is, with what is to be done about it."""
        reference = self._voicing.reference
        found = reference.found
        if reference.state in (PREPARING, JUDGING):
            return tr("listening to it …") if reference.state == JUDGING else tr("preparing …")
        if found is None:
            return tr(HOW)
        speech = tr("{s} s of speech", s=number(found.recording.speech_s, 1))
        facts = f"{self._voicing.reference_name}: {speech}"
        if not found.enough:
            return f"{self._voicing.reference_name}: {too_little(found)}."
        advice = found.advice()
        noise = noise_words(found.recording.snr_db)
        return f"{facts}, {noise}. " + (
            tr("To do better: {advice}.", advice="; ".join(advice)) if advice else tr("That is good.")
        )

    def _tick(self) -> None:
        """What moves: progress, and the meter."""
        voicing = self._voicing
        busy = voicing.state in (SAYING, SAVING)
        self.bar.setVisible(busy)
        self.bar.setValue(round(PERCENT * voicing.course.share) if busy else 0)
        spoken_s = seconds(voicing.spoken.sound.n_samples) if voicing.spoken else 0.0
        length = tr("{s} s of speech", s=number(spoken_s, 1)) if voicing.spoken else ""
        self.words.setText(tr(WORDS.get(voicing.state, "")) or length)
        if voicing.reference.state == RECORDING:
            self.meter.show_level(voicing.reference.ear.level)
