"""Whether a running voice is that of one enrolled person: evidence that grows with the speech."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicelane.base.errors import VoicelaneError
from voicelane.base.space import Space
from voicelane.base.timebase import SAMPLE_RATE, seconds
from voicelane.events import Verification
from voicelane.stages.calibration import Calibration
from voicelane.stages.encoder import Embedding, Segmented
from voicelane.stages.recogniser import Person, Voice, check_people, mean_voice


class Verifier:
    """`Segmented` items of one voice in, a `Verification` out for each second of speech, and at the end.

    It compares the mean of the embeddings, each weighing as much as the speech that it is the first to
    cover: close to the mean of consecutive windows that `Enroller.listen` takes. All speech is taken for one
    person's.
    """

    longest_delay_samples = SAMPLE_RATE
    """Of speech."""

    def __init__(self, person: Person, calibration: Calibration, false_accepts: float = 1.0) -> None:
        """`false_accepts` is the percentage of strangers to accept, of those the calibration measured.

        Raises `ModelError` for another, `VoicelaneError` for embeddings that are not of its space.
        """
        check_people([person], calibration.cohort.shape[1])
        self.name, self.calibration = person.name, calibration
        self.threshold = calibration.threshold(false_accepts)
        self._enrolled = mean_voice(person.embeddings)
        self.reset()

    def reset(self) -> None:
        self._sum = np.zeros_like(self._enrolled)
        self._heard = self._end = self._judged = 0  # samples: of speech, of the stream, when last told
        self._trusted = True

    def distrust(self) -> None:
        """Say nothing more until `reset`: the embeddings have left the calibration's space."""
        self._trusted = False

    def process(self, items: Sequence[Segmented]) -> list[Verification]:
        found: list[Verification] = []
        for item in items:
            if isinstance(item, Embedding):
                self._hear(item)
                if self._heard // SAMPLE_RATE > self._judged // SAMPLE_RATE:
                    found += self._judge()
        return found

    def flush(self) -> list[Verification]:
        """The verdict on everything, unless it was the last one given."""
        return self._judge() if self._heard > self._judged else []

    def _hear(self, item: Embedding) -> None:
        new = item.end - max(item.start, self._end)
        self._sum = self._sum + new * item.vector
        self._heard, self._end = self._heard + new, item.end

    def _judge(self) -> list[Verification]:
        self._judged = self._heard
        if not self._trusted:
            return []
        heard_s = seconds(self._heard)
        score, llr = self.calibration.compare(self._enrolled, mean_voice(self._sum[None]), heard_s)
        return [Verification(self._end, self.name, score, llr, heard_s, llr >= self.threshold)]


class LiveVerifier:
    """The speakers of a conversation in, a `Verification` out for each second that one of them has spoken.

    Each is compared with the enrolled person whose voice is nearest to it.
    """

    name = "live verification"

    def __init__(
        self, people: Sequence[Person], calibration: Calibration, false_accepts: float = 1.0
    ) -> None:
        """As `Verifier`, for at least one person."""
        if not people:
            raise VoicelaneError("there is nobody to compare with; enrol people first", ": `voicelane enrol`")
        check_people(people, calibration.cohort.shape[1])
        self.calibration, self.threshold = calibration, calibration.threshold(false_accepts)
        self._names = [p.name for p in people]
        self._means = np.stack([mean_voice(p.embeddings) for p in people])  # (P, dim)
        self.reset()

    def reset(self) -> None:
        self._judged: dict[str, int] = {}  # whole seconds of each speaker that were told of
        self._trusted = True

    def distrust(self) -> None:
        """Say nothing more until `reset`: the embeddings have left the calibration's space."""
        self._trusted = False

    def hear(self, sample: int, voices: Sequence[Voice]) -> list[Verification]:
        """What is news at `sample`."""
        news = [v for v in voices if v.spoken_samples // SAMPLE_RATE != self._judged.get(v.name, 0)]
        self._judged |= {v.name: v.spoken_samples // SAMPLE_RATE for v in news}
        return [self._judge(sample, v) for v in news if v.spoken_samples] if self._trusted else []

    def _judge(self, sample: int, voice: Voice) -> Verification:
        nearest, heard_s = int(np.argmax(self._means @ voice.centroid)), seconds(voice.spoken_samples)
        score, llr = self.calibration.compare(self._means[nearest], voice.centroid, heard_s)
        accepted = llr >= self.threshold
        return Verification(sample, self._names[nearest], score, llr, heard_s, accepted, voice.name)


def check_verifier(verifier: Verifier | LiveVerifier, space: Space) -> None:
    """Raise `VoicelaneError` for a verifier of another space than the pipeline's."""
    if verifier.calibration.space != space:
        raise VoicelaneError(
            f"{verifier.name}: the calibration is for {verifier.calibration.space}, not for {space}"
        )
