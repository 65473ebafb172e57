"""The words of a recorded session, looked for away from the window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from voicelane import Session
from voicelane.gui.model.preferences import Settings
from voicelane.gui.work.jobs import Job
from voicelane.words import Recognised, Recogniser, recognise_session, write_words


class Writing:
    """One session on its way to its words; `share` says how far it is, 0 … 1."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        done: Callable[[Path, Recognised], None],
        failed: Callable[[str], None],
    ) -> None:
        self.folder, self.share = session.folder, 0.0
        self._length = max(1, session.heard_samples())
        work = partial(self._work, session, settings.words_model, settings.language)
        Job(work, lambda found: done(self.folder, found), failed)

    def _work(self, session: Session, model: str, language: str) -> Recognised:
        recogniser = Recogniser(model, language)
        found = recognise_session(session, recogniser, Path(model).name, self._progress)
        write_words(session.folder, found)
        return found

    def _progress(self, sample: int) -> None:
        self.share = sample / self._length
