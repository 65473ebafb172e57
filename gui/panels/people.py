"""People whose voices are known: enrol them, and look after their profiles."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import button, card, label, page
from voicelane.gui.model.language import later, number, sentence, tr
from voicelane.gui.model.level import noise_words
from voicelane.gui.panels.meter import Meter
from voicelane.gui.panels.profiles import Profiles
from voicelane.gui.panels.transport import sound_files
from voicelane.gui.work.enrolling import ENOUGH_S, IDLE, JUDGING, PREPARING, READY, RECORDING, too_little
from voicelane.gui.work.studio import Studio
from voicelane.profiles import Enrolment

REFRESH_MS = 60
GOOD_SNR_DB = 15.0
FACTS = later("{s} s of speech, {db} dB over the noise, agreement with itself {agreement}")
HOW = later(
    {
        IDLE: "Type a name, press record and let one person speak alone for ten seconds or more.",
        PREPARING: "preparing …",
        RECORDING: "Speak now, as you usually do. Stop when the bar is full.",
        JUDGING: "listening to it …",
    }
)


class PeoplePage(QWidget):
    """Profiles on the left, enrolment on the right."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.enrolling = studio.enrolling
        self.profiles = Profiles(studio)
        inner, layout = page(
            tr("People"),
            tr(
                "Enrolled people are shown by name, and a voice can be verified to be theirs. A voice is "
                "kept as numbers on this machine; its sound only if you say so."
            ),
        )
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.profiles, 3)
        row.addWidget(self._enrolment(), 2)
        layout.addLayout(row, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(inner)
        self._timer = Ticking(self, studio, REFRESH_MS, self._tick)
        self.enrolling.changed.connect(self._show)
        self.enrolling.failed.connect(studio.noticed)
        self.enrolling.kept.connect(self._kept)
        studio.remembered.connect(self._remember)
        self._show()

    @property
    def home(self) -> QWidget:
        """Where the keyboard focus may rest."""
        return self.name

    def _enrolment(self) -> QFrame:
        frame, layout = card(tr("Enrol a person"))
        layout.setSpacing(GAP)
        self.name = QLineEdit()
        self.name.setPlaceholderText(tr("Name"))
        self.name.setAccessibleName(tr("Name of the person"))
        self.name.textChanged.connect(self._show)
        self.record = button(tr("Record"), self._record_or_stop, primary=True)
        self.file = button(tr("From a file …"), self._choose_file)
        self.save = button(tr("Save this voice"), self._save, primary=True)
        self.cancel = button(tr("Discard"), self.enrolling.cancel)
        self.keep_audio = QCheckBox(tr("Keep the sound too (it can be embedded anew when models change)"))
        self.keep_audio.setAccessibleName(tr("Keep the sound too"))
        self.how, self.report = label("", "quiet", wrap=True), label("", wrap=True)
        self.how.setMinimumHeight(54)
        self.report.setAccessibleName(tr("Quality of the recording"))
        self.meter, self.speech = Meter(self._studio), QProgressBar()
        self.speech.setRange(0, 100)
        self.speech.setMaximumHeight(8)
        self.speech.setTextVisible(False)
        self.speech.setAccessibleName(tr("Seconds of speech recorded"))
        self.speech_words = label("", "quiet")
        first, second = QHBoxLayout(), QHBoxLayout()
        for where, widgets in ((first, (self.record, self.file)), (second, (self.save, self.cancel))):
            where.setSpacing(SMALL)
            for widget in widgets:
                where.addWidget(widget)
            where.addStretch(1)
        layout.addWidget(label(tr("Enrol a person"), "heading"))
        for part in (self.name, self.how):
            layout.addWidget(part)
        layout.addLayout(first)
        for shown in (self.meter, self.speech, self.speech_words, self.report, self.keep_audio):
            layout.addWidget(shown)
        layout.addLayout(second)
        layout.addStretch(1)
        return frame

    def _record_or_stop(self) -> None:
        if self.enrolling.state == RECORDING:
            self.enrolling.stop()
        else:
            self.enrolling.record()

    def _choose_file(self) -> None:
        path = self._studio.files.to_open(self, tr("Choose a recording of one person"), sound_files())
        if path:
            self.enrolling.hear_file(path)

    def _save(self) -> None:
        self._studio.unlock(again=True)
        self.enrolling.keep(self.name.text(), self.keep_audio.isChecked())

    def _remember(self, speaker: str) -> None:
        """What a speaker of the conversation has said becomes an enrolment."""
        conversation = self._studio.conversation
        shown = conversation.shown(speaker)
        lane = conversation.lane(speaker)
        self.name.setText("" if lane is not None and shown == lane.speaker else shown)
        self.name.setFocus()
        self.enrolling.hear_speaker(conversation, speaker)

    def _kept(self, name: str) -> None:
        self.profiles.refresh(name)
        self.name.clear()
        self.how.setText(tr(HOW[IDLE]))
        self._studio.told.emit(
            tr("{name} is enrolled, and is shown by name from the next start on", name=name)
        )

    def _show(self) -> None:
        """What can be done now."""
        state, found = self.enrolling.state, self.enrolling.found
        self.record.setText(tr("Stop") if state == RECORDING else tr("Record"))
        self.record.setAccessibleName(tr("Stop recording") if state == RECORDING else tr("Record a voice"))
        self.record.setEnabled(state in (IDLE, RECORDING, READY))
        self.file.setEnabled(state in (IDLE, READY))
        ready = state == READY and found is not None
        enough = found is not None and found.enough
        self.save.setEnabled(ready and enough and bool(self.name.text().strip()))
        self.save.setVisible(ready)
        self.cancel.setVisible(state in (RECORDING, READY))
        self.keep_audio.setVisible(ready)
        self.report.setVisible(ready)
        for widget in (self.meter, self.speech, self.speech_words):
            widget.setVisible(state == RECORDING)
        if state in HOW:
            self.how.setText(tr(HOW[state]))
        if ready and found is not None:
            self._report(found)

    def _report(self, found: Enrolment) -> None:
        """How good a recording is, and what is to be done with it."""
        r, advice = found.recording, found.advice()
        facts = (
            tr(FACTS, s=number(r.speech_s, 1), db=number(r.snr_db), agreement=number(r.consistency, 2))
            if self._studio.preferences.now.lab
            else f"{tr('{s} s of speech', s=number(r.speech_s, 1))}, {noise_words(r.snr_db)}"
        )
        self.report.setText(
            f"{facts}.\n"
            + (tr("To do better: {advice}.", advice="; ".join(advice)) if advice else tr("That is good."))
        )
        if found.enough:
            self.how.setText(tr("Check how good it is, then save it.") + self._name_wanted())
        else:
            self.how.setText(tr("{what}, in a new recording.", what=sentence(too_little(found))))

    def _name_wanted(self) -> str:
        return "" if self.name.text().strip() else " " + tr("It needs a name first.")

    def _tick(self) -> None:
        """The meter, while it records."""
        if self.enrolling.state != RECORDING:
            return
        ear = self.enrolling.ear
        self.meter.show_level(ear.level)
        self.speech.setValue(round(100 * min(1.0, ear.speech_s / ENOUGH_S)))
        self.speech_words.setText(
            tr(
                "{s} s of speech · {quality}",
                s=number(ear.speech_s, 1),
                quality=self._quality(),
            )
        )

    def _quality(self) -> str:
        """The live judgement, in words."""
        level = self.enrolling.ear.level
        if level.clipping:
            return tr("too loud")
        if level.snr_db is not None and level.snr_db < GOOD_SNR_DB:
            return tr("too quiet or too noisy: come nearer")
        return tr("enough") if self.enrolling.ear.speech_s >= ENOUGH_S else tr("good, go on")
