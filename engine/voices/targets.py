"""The voices that speech can be given: nobody's, drawn anew or kept, a consenting person's, that of a
recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from voicelane.audio.sources import FileSource
from voicelane.base.errors import AudioError, StoreError
from voicelane.base.space import Space
from voicelane.profiles.enrolment import LEAST_S, Enroller, Enrolment, in_space
from voicelane.profiles.profile import Recording
from voicelane.profiles.store import ProfileStore
from voicelane.stages.calibration import Calibration
from voicelane.stages.recogniser import mean_voice
from voicelane.voices.fitting import mean_pitch_hz, sample_of
from voicelane.voices.library import VoiceLibrary
from voicelane.voices.pseudo import load_pseudo_voices
from voicelane.voices.voice import HIGHEST_HZ, LOWEST_HZ, Voice

REFERENCE = "reference"
LEAST_VOICED = 0.15
"""Of a reference: less of a pitch have noise, whispers and mostly silence."""
STILL_SEMITONES = 0.03
"""Notes are stiller than this from frame to frame; talk moves by several times as much."""


def drawing(encoder_id: str) -> Callable[[int, np.random.Generator], Sequence[Voice]]:
    """What draws so many voices of nobody; raises `ModelError`."""
    voices = load_pseudo_voices(encoder_id)

    def draw(count: int, rng: np.random.Generator) -> list[Voice]:
        pitch_hz = voices.pitches("any", count, rng)
        drawn = zip(voices.draw(pitch_hz, rng), pitch_hz.tolist(), strict=True)
        return [Voice(f"voice {n}", v, hz, "pseudo", encoder_id) for n, (v, hz) in enumerate(drawn, 1)]

    return draw


def pseudo_voice(name: str, encoder_id: str) -> Voice:
    """A voice that was made with `voicelane voices new`; raises `StoreError`."""
    found = VoiceLibrary().voice(name)
    if found.encoder_id != encoder_id:
        raise StoreError(
            f"{name}: this voice was made for another encoder; make one anew", ": `voicelane voices new`"
        )
    return found


def consenting_voice(name: str, store: ProfileStore, enroller: Enroller) -> Voice:
    """The voice of an enrolled person who allowed that; raises `StoreError`."""
    profile = in_space(store, store.profile(name), enroller)
    if store.consent(profile.name) is None:
        raise refusal(profile.name)
    voice = mean_voice(np.stack([r.embedding for r in profile.recordings]))
    pitch_hz = load_pseudo_voices(enroller.space.encoder_id).pitch_of(voice)
    return Voice(profile.name, voice, pitch_hz, "person", enroller.space.encoder_id)


def refusal(name: str, before: str = "") -> StoreError:
    """For a person who has not allowed that their voice is used; `before` begins the sentence."""
    return StoreError(
        f"{before}{name} has not consented to the use of their voice; where they agree, record that",
        f" with `voicelane profiles consent {name!r} --give`, or at enrolment with --consent-cloning",
    )


def reference_voice(
    path: Path | str, store: ProfileStore, enroller: Enroller, calibration: Calibration
) -> Voice:
    """The voice of a file with one person in it; raises what `voice_heard` raises."""
    source = FileSource(path, channels="mix")
    try:
        heard = enroller.listen(source)
    finally:
        source.close()
    return voice_heard(heard, source.name, store, enroller.space, calibration)


def voice_heard(
    heard: Enrolment, name: str, store: ProfileStore, space: Space, calibration: Calibration
) -> Voice:
    """The voice of a recording of one person that was listened to, in `space`; `name` is for sentences.

    Raises `AudioError` for one that is too short, of two people, or no speech, `StoreError` where it is that
    of an enrolled person who has not consented."""
    check_reference(name, heard.recording.speech_s, heard.two_voices)
    frames = sample_of(heard.sound)
    if not is_talk(frames.pitch_hz):
        raise AudioError(
            f"{name}: this is music or noise rather than talk; give a recording of one person who talks"
        )
    _check_owner(heard.recording, name, store, space, calibration)
    pitch_hz = float(np.clip(mean_pitch_hz(frames), LOWEST_HZ, HIGHEST_HZ))
    return Voice(REFERENCE, heard.recording.embedding, pitch_hz, "person", space.encoder_id)


def _check_owner(
    heard: Recording, name: str, store: ProfileStore, space: Space, calibration: Calibration
) -> None:
    """Raises `StoreError` where a recording is of an enrolled person who has not consented."""
    for person in store.names():
        profile = store.profile(person)
        if profile.space == space and store.consent(person) is None:
            own = mean_voice(np.stack([r.embedding for r in profile.recordings]))
            evidence = calibration.compare(own, heard.embedding, heard.speech_s)
            if evidence.llr >= calibration.threshold(1.0):
                raise refusal(person, f"{name}: this is the voice of {person}; ")


def whose(voice: Voice) -> str:
    """Whose voice it is, for the metadata of a file."""
    if voice.kind == "pseudo":
        return f"in the voice {voice.name}, which is nobody's"
    if voice.name == REFERENCE:
        return "in a voice like that of a recording"
    return f"in the voice of {voice.name}, who consented"


def is_talk(pitch_hz: np.ndarray) -> bool:
    """Whether a pitch every 5 ms (n,), 0 where there is none, is that of talk: it is there, and not still."""
    voiced = pitch_hz > 0
    both = voiced[1:] & voiced[:-1]
    if voiced.mean() < LEAST_VOICED or not both.any():
        return False
    steps = np.abs(12.0 * np.log2(pitch_hz[1:][both] / pitch_hz[:-1][both]))
    return float(np.median(steps)) > STILL_SEMITONES


def check_reference(name: str, speech_s: float, two_voices: bool) -> None:
    """Raises `AudioError` where a recording does not tell one voice."""
    if speech_s < LEAST_S:
        raise AudioError(
            f"{name}: only {speech_s:.1f} s of speech were found in it, {LEAST_S:.0f} s are the least to "
            "know a voice by; give a longer recording"
        )
    if two_voices:
        raise AudioError(
            f"{name}: two people seem to speak in it, or there is music; give a recording of one person alone"
        )
