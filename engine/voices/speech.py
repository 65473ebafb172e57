"""Text to speech: engines that pip or the system installs, and text that they can say.

Another engine is a plug-in: an entry point of the group `voicelane.speech` that gives, called without
arguments, what `Engine` describes.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from voicelane.base.errors import ConfigError, ModelError, VoicelaneError
from voicelane.base.text import quoted

INSTALL = 'speech from text needs hibari-tts; run `pip install "voicelane[voice]"`'
PARTS = ("hibari", "pyworld")
NOT_THERE = 'speech in other voices needs the extra `voice`: run `pip install "voicelane[voice]"`'
MOST_LETTERS = 200_000
"""About four hours of speech."""
SPEEDS = (0.5, 2.0)
WORDS_PER_MINUTE = 170
"""Of espeak-ng at speed 1."""
SENTENCE = re.compile(r"(?<=[.!?…。！？])\s+|\n\s*\n")
MARKUP = re.compile(r"<[a-zA-Z/!][^<>]*>")
ESPEAK = "espeak-ng"


class Engine(Protocol):
    """What says text in a voice of its own."""

    name: str
    """Tells voices apart: a change to another voice is measured once for each name."""
    rate: int
    """Of its sound, in Hz."""
    languages: tuple[str, ...]
    """Two letters each; empty for one that knows many."""

    def say(self, text: str, speed: float) -> Iterator[np.ndarray]:
        """Sentence by sentence, float32 (n,), as soon as each is ready."""


class Hibari:
    """Hibari's American voice; English alone, its weights in its wheel."""

    name = "hibari-heart"
    languages: tuple[str, ...] = ("en",)

    def __init__(self) -> None:
        """Raises `ModelError` where it is not installed."""
        try:
            from hibari import Hibari as Voice
        except ImportError:
            raise ModelError(INSTALL) from None
        self._voice = Voice()
        self.rate = int(self._voice.sample_rate)

    def say(self, text: str, speed: float) -> Iterator[np.ndarray]:
        for sentence in self._voice.split_sentences(text):  # it would read all of the text before the first
            for sound in self._voice.stream(sentence, speed=speed, seed=0):
                yield np.asarray(sound, np.float32)


class Espeak:
    """The program espeak-ng, where the system has it; about a hundred languages."""

    languages: tuple[str, ...] = ()

    def __init__(self, language: str) -> None:
        """Raises `ModelError` where it is not installed, or does not know the language."""
        if shutil.which(ESPEAK) is None:
            raise ModelError(
                f"speech in {quoted(language)} needs {ESPEAK}; install it with the system's packages "
                f"(`sudo apt-get install {ESPEAK}`), or give English text"
            )
        self.name, self.rate, self._language = f"{ESPEAK}-{language}", 22_050, language
        self._run("a", 1.0)

    def say(self, text: str, speed: float) -> Iterator[np.ndarray]:
        for sentence in sentences(text):
            yield self._run(sentence, speed)

    def _run(self, text: str, speed: float) -> np.ndarray:
        import soundfile

        words = str(round(WORDS_PER_MINUTE * speed))
        command = [ESPEAK, "-v", self._language, "-s", words, "--stdin", "--stdout"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        try:
            sound, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32", always_2d=True)
        except RuntimeError:  # soundfile.LibsndfileError
            reason = " ".join(done.stderr.decode(errors="replace").split())[:200]
            raise ModelError(f"{ESPEAK} cannot speak {quoted(self._language)} ({reason})") from None
        return at_rate(sound[:, 0], rate, self.rate)


def missing_parts() -> str:
    """What to install before any voice can be changed or text be said, in a sentence; nothing where all is
    there."""
    return "" if all(map(find_spec, PARTS)) else NOT_THERE


def engine_for(language: str, name: str = "") -> Engine:
    """What speaks a language: the plug-in of that name, else hibari for English, else espeak-ng.

    Raises `ModelError`.
    """
    if name:
        return _plugged(name)
    return Hibari() if language in Hibari.languages else Espeak(language)


def _plugged(name: str) -> Engine:
    """An engine that another package offers."""
    known: dict[str, Callable[[], Any]] = {"hibari": Hibari}
    known |= {
        entry.name: entry.load() for entry in entry_points(group="voicelane.speech") if entry.name == name
    }
    if name not in known:
        raise ModelError(
            f"there is no speech engine named {quoted(name)}; install the package that offers it"
        )
    engine: Engine = known[name]()
    return engine


def checked_text(text: str, engine: Engine) -> str:
    """Text that an engine can say; raises `VoicelaneError` for what nobody can, in one sentence."""
    found = unicodedata.normalize("NFC", text).strip()
    if not any(map(str.isalnum, found)):
        raise VoicelaneError("there is nothing to say: the text holds no letter and no digit")
    if len(found) > MOST_LETTERS:
        raise VoicelaneError(
            f"a text of {len(found):,} characters is too long, {MOST_LETTERS:,} are the most; say it in parts"
        )
    if markup := MARKUP.search(found):
        raise VoicelaneError(f"the text holds markup ({quoted(markup[0], 40)}); give plain text")
    if engine.languages == ("en",) and (odd := _foreign(found)):
        raise VoicelaneError(
            f"the English voice cannot say {quoted(odd)}; name the language of the text", " with --language"
        )
    return "".join(c if c.isprintable() or c == "\n" else " " for c in found)


def _foreign(text: str) -> str:
    """The first letters that are not Latin."""
    odd = [
        c
        for c in text
        if c.isalpha() and not unicodedata.name(c, "").startswith(("LATIN", "FEMININE", "MASCULINE"))
    ]
    return "".join(odd[:8])


def check_speed(speed: float) -> None:
    """Raises `ConfigError` for one that is no speech any more."""
    low, high = SPEEDS
    if not low <= speed <= high:
        raise ConfigError(f"--speed {speed:g}: expected {low:g} … {high:g}")


def sentences(text: str) -> list[str]:
    """The text in parts that are said at once."""
    return [part.strip() for part in SENTENCE.split(text) if part.strip()]


def at_rate(sound: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Float32 (n,) at another rate."""
    if rate == wanted:
        return np.asarray(sound, np.float32)
    import soxr

    return np.asarray(soxr.resample(sound, rate, wanted), np.float32)
