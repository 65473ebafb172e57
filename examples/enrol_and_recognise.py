"""Learn voices, then see names: `python examples/enrol_and_recognise.py talk.wav Anna=anna.wav Ben=ben.wav`.

Ten seconds or more of each person alone are best. Nothing is kept; `voicelane.ProfileStore` keeps profiles.
"""

from __future__ import annotations

import sys

from voicelane import Enroller, FileSource, LiveSession, Person, Pipeline, QueueSink, SpeakerIdentified


def enrolled(arguments: list[str]) -> list[Person]:
    """A person for each `NAME=FILE`, with what would make the recording better said aloud."""
    enroller, people = Enroller(), []
    for name, _, path in (argument.partition("=") for argument in arguments):
        enrolment = enroller.listen(FileSource(path))
        print(f"{name}: {enrolment.recording.speech_s:.1f} s of speech", *enrolment.advice(), sep="; ")
        people.append(Person(name, enrolment.recording.embedding[None]))  # (1, dim)
    return people


def main() -> None:
    talk, *voices = sys.argv[1:]
    sink = QueueSink()
    with LiveSession(FileSource(talk), Pipeline(people=enrolled(voices)), [sink]) as session:
        session.wait()
    while (event := sink.queue.get()) is not None:
        if isinstance(event, SpeakerIdentified):
            print(f"{event.speaker} is {event.name} (cosine {event.score:.2f})")


if __name__ == "__main__":
    main()
