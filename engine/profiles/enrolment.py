"""From recordings of one person to what is kept of the voice, with a report of how good they are."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from voicelane.audio.framer import Framer
from voicelane.audio.resampler import Resampler, finite
from voicelane.audio.ring import Ring
from voicelane.audio.sources import ArraySource, PullSource, PushSource
from voicelane.base.errors import AudioError, DeviceError, LockedError, StoreError
from voicelane.base.space import OFF, Space
from voicelane.base.timebase import FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE, samples, seconds
from voicelane.config import PipelineConfig
from voicelane.events import Verification
from voicelane.profiles.profile import Profile, Recording, foreign
from voicelane.profiles.store import ProfileStore
from voicelane.stages.clustering import one_voice
from voicelane.stages.encoder import COLUMNS_PER_FRAME, MIN_COLUMNS, SpeechFrames, load_encoder
from voicelane.stages.enhancer import load_enhancer
from voicelane.stages.frontend import FrontEnd
from voicelane.stages.recogniser import Person, mean_voice
from voicelane.stages.scale import load_scale
from voicelane.stages.verifier import Verifier

WINDOW_COLUMNS = samples(1.6) // HOP_SAMPLES
LONGEST_S = 600.0
LEAST_S, ENOUGH_S = 3.0, 10.0
QUIET_DB = 15.0
TWO_VOICES_LLR = -1.0
"""Below, a recording has two voices; 1 in 100 recordings of one training speaker lies there."""
QUIET_SHARE = 0.1
CLEANEST_DB = 60.0
POLL_S, STALLED_S = 0.05, 5.0


@dataclass(frozen=True, eq=False)
class Enrolment:
    """A recording that was listened to, and its 16 kHz sound float32 (n,)."""

    recording: Recording
    sound: np.ndarray
    one_voice_llr: float = np.inf
    """Log-likelihood ratio that the two parts in which its windows are most alike are of one person."""

    @property
    def enough(self) -> bool:
        """Whether there is speech enough to know the voice by."""
        return self.recording.speech_s >= LEAST_S

    @property
    def two_voices(self) -> bool:
        """Whether two people seem to speak in it."""
        return self.one_voice_llr < TWO_VOICES_LLR

    def advice(self) -> list[str]:
        """What would make a better profile, in sentences; empty where nothing would."""
        r = self.recording
        found = []
        if r.speech_s < ENOUGH_S:
            found.append(f"speak {np.ceil(ENOUGH_S - r.speech_s):.0f} s more")
        if r.snr_db < QUIET_DB:
            found.append("find a quieter place, or come nearer to the microphone")
        if self.two_voices:
            found.append("two voices seem to be in it: let one person speak alone")
        return found


class Enroller:
    """Recordings in, `Enrolment`s out, in the embedding space of the settings.

    Raises `ModelError` where the enhancer cannot be used: what is kept must not depend on a fall-back.
    """

    def __init__(self, config: PipelineConfig | None = None) -> None:
        config = config or PipelineConfig()
        self._encoder = load_encoder(config.encoder)
        self._scale = load_scale(config.encoder, self._encoder)
        self._enhancer = load_enhancer(config.enhancer, self._encoder)
        self._front_end = FrontEnd(config.vad, self._encoder, recording=True)
        enhancer = self._enhancer.id if self._enhancer else OFF
        self.space = Space(self._encoder.id, enhancer, self._encoder.name)

    def listen(self, source: PullSource) -> Enrolment:
        """The voice of a recording, of which ten minutes at most are used.

        Its embedding is the mean of those of its consecutive 1.6 s windows of speech. Raises `AudioError`
        where there is no speech at all.
        """
        sound = mono(source)
        frames = Framer()
        whole = np.concatenate((frames.process(sound), frames.flush()))
        heard = self._judge(whole)
        windows = self._embeddings(heard.columns[np.repeat(heard.speech, COLUMNS_PER_FRAME)], source.name)
        speech_s = seconds(int(heard.speech.sum()) * FRAME_SAMPLES)
        levels = signal_to_noise_db(whole, heard.speech)
        recording = Recording(mean_voice(windows), speech_s, levels, consistency(windows))
        each = np.full(len(windows), SAMPLE_RATE * speech_s / len(windows))
        return Enrolment(recording, sound, one_voice(windows, each, self._scale))

    def _judge(self, frames: np.ndarray) -> SpeechFrames:
        self._front_end.reset()
        heard = (self._front_end.process(frames), self._front_end.flush())
        return SpeechFrames(*(np.concatenate(parts) for parts in zip(*heard, strict=True)))

    def _embeddings(self, columns: np.ndarray, name: str) -> np.ndarray:
        """float32 (n_windows, dim) of feature columns of speech."""
        if len(columns) < MIN_COLUMNS:
            raise AudioError(f"{name}: no speech was found in it; is the right microphone connected?")
        columns = self._encoder.stream().normalise(columns)
        parts = np.array_split(columns, max(1, len(columns) // WINDOW_COLUMNS))
        found = [self._encoder.embed(self._encoder.tokens(part)) for part in parts]
        return np.stack([self._enhancer.enhance(v)[0] for v in found] if self._enhancer else found)


def verification_of(heard: Enrolment, person: Person, verifier: Verifier) -> Verification:
    """The evidence of a whole recording that was listened to that it is this person's voice."""
    own, recording = mean_voice(person.embeddings), heard.recording
    evidence = verifier.calibration.compare(own, recording.embedding, recording.speech_s)
    accepted = evidence.llr >= verifier.threshold
    return Verification(len(heard.sound), person.name, *evidence, recording.speech_s, accepted)


def blocks_of(source: PullSource) -> Iterator[np.ndarray]:
    """A source block by block as 16 kHz mono float32 (n,)."""
    resampler = Resampler(source.rate)
    for block in source.blocks():
        yield resampler.process(finite(block)[0])
    yield resampler.flush()


def mono(source: PullSource) -> np.ndarray:
    """The first ten minutes of a source as 16 kHz mono float32 (n,)."""
    resampler, kept, left = Resampler(source.rate), [], int(LONGEST_S * source.rate)
    for block in source.blocks():
        kept.append(resampler.process(finite(block[:left])[0]))
        left -= len(block)
        if left <= 0:
            break
    return np.concatenate([*kept, resampler.flush()])


def signal_to_noise_db(frames: np.ndarray, speech: np.ndarray) -> float:
    """Level of the speech over that of the noise, at most 60 dB, of frames (n, 320) and whether each is
    speech (n,).

    The noise is what is not speech, or the quietest tenth where there is hardly any such frame.
    """
    power = np.sort(np.square(frames, dtype=np.float64).mean(axis=1))
    quietest = max(1, int(QUIET_SHARE * len(frames)))
    rest = np.square(frames[~speech], dtype=np.float64).mean(axis=1)
    noise = float((rest if len(rest) >= quietest else power[:quietest]).mean())
    total = float(np.square(frames[speech], dtype=np.float64).mean())
    ratio = max(total - noise, 1e-12) / max(noise, 1e-12)
    return float(np.clip(10.0 * np.log10(ratio), -CLEANEST_DB, CLEANEST_DB))


def consistency(windows: np.ndarray) -> float:
    """Mean cosine between different windows' embeddings (n_windows, dim); 1 where there is only one."""
    n = len(windows)
    return 1.0 if n < 2 else float(((windows @ windows.T).sum() - n) / (n * (n - 1)))


def flac(sound: np.ndarray) -> bytes:
    """16 kHz sound float32 (n,) as a FLAC file."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(sound, -1.0, 1.0), SAMPLE_RATE, "PCM_16", format="FLAC")
    return file.getvalue()


def keep_recording(enrolment: Enrolment, keep_audio: bool) -> Recording:
    """The recording as `ProfileStore.add` takes it, with its sound if that is to be kept."""
    sound = partial(flac, enrolment.sound) if keep_audio else None
    return replace(enrolment.recording, flac=sound)


def _kept(flac: bytes, name: str) -> ArraySource:
    """What `flac` made."""
    import soundfile

    try:
        source = ArraySource(*soundfile.read(io.BytesIO(flac), dtype="float32"))
    except RuntimeError as problem:  # soundfile.LibsndfileError
        raise AudioError(f"{name}: is damaged ({problem}); enrol again") from None
    source.name = name
    return source


def record(source: PushSource, duration_s: float, progress: Callable[[float], None]) -> ArraySource:
    """`duration_s` of a microphone; `progress` is told now and then how many seconds there are."""
    n_wanted = int(min(duration_s, LONGEST_S) * source.rate)
    ring = Ring(n_wanted + source.rate, source.channels)
    patience_s = duration_s + STALLED_S
    try:
        source.start(ring.write)
        while ring.written < n_wanted and not source.finished.is_set() and patience_s > 0:
            time.sleep(POLL_S)
            patience_s -= POLL_S
            progress(min(ring.written, n_wanted) / source.rate)
        progress(min(ring.written, n_wanted) / source.rate)
    finally:
        source.close()
    if ring.written < n_wanted:
        raise DeviceError(f"{source.name}: no more sound comes; connect it again and start anew")
    return ArraySource(ring.read(n_wanted)[0], source.rate)


def known_people(store: ProfileStore, enroller: Enroller) -> tuple[list[Person], list[str]]:
    """Everybody who can be recognised in the enroller's space, and a sentence on each who cannot.

    A profile of another space is embedded anew from its kept sound.
    """
    people, refused = [], []
    for name in store.names():
        try:
            people.append(in_space(store, store.profile(name), enroller).person())
        except LockedError:
            raise
        except (StoreError, AudioError) as problem:
            refused.append(str(problem))
    return people, refused


def in_space(store: ProfileStore, profile: Profile, enroller: Enroller) -> Profile:
    """The profile in the enroller's space, embedded anew where it is in another.

    Raises `StoreError` where the sound of one of its recordings was not kept.
    """
    if profile.space == enroller.space:
        return profile
    sounds = [store.sound(r) for r in profile.recordings]
    if not all(sounds):
        raise foreign(profile, enroller.space)
    anew = []
    for sound, old in zip(sounds, profile.recordings, strict=True):
        heard = enroller.listen(_kept(sound or b"", f"the kept sound of {profile.name}"))
        anew.append(replace(heard.recording, audio=old.audio))
    return store.move(profile, enroller.space, anew)
