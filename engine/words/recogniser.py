"""Words of a piece of speech by Whisper: encoder, decoder, and its attention for the times of words.

The encoder sees the piece and `TAIL_S` of silence, not the usual 30 s: that takes a fraction of the time.
Where the decoder goes round in circles, which it then does more often, it gets the 30 s after all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from voicelane.base.errors import ConfigError, ModelError, VoicelaneError
from voicelane.base.text import is_text
from voicelane.base.timebase import SAMPLE_RATE, samples
from voicelane.events import Word
from voicelane.words.lines import joined
from voicelane.words.timing import STEP_SAMPLES, tightened, token_begins, without_tail

LONGEST_S = 28.0
"""Of a piece; with the tail no more than the 30 s that Whisper knows."""
TAIL_S = 1.0
LONGEST_FRAMES = 3_000
TOKENS_PER_S, LEAST_TOKENS, MOST_TOKENS = 9, 16, 220
CIRCLES = 2.4
"""Text that compresses by more than this says the same again and again."""
SILENT, UNSURE = 0.6, -1.0
"""Probability of no speech, and mean log-probability below which nothing was said then."""
SURE_LANGUAGE, TELLING_S = 0.7, 2.0
"""A piece so long, and so surely of a language, says which it is; others take the one before."""
ENGLISH = "en"
FILES = ("config.json", "model.bin", "tokenizer.json")
INSTALL = 'captions need faster-whisper; run `pip install "voicelane[words]"`'


@dataclass(frozen=True)
class Heard:
    """What was recognised in one piece."""

    words: tuple[Word, ...]
    """By samples from the beginning of the piece."""
    language: str
    language_probability: float = 1.0
    translation: str = ""
    """In English, where that was asked for."""


def model_folder(model: str | Path) -> Path:
    """Where a model lies, by its folder or its name; one that is not here is fetched by faster-whisper.

    Raises `ModelError`: no such model, not whole, or not to be fetched.
    """
    folder = Path(model)
    if folder.is_dir():
        if missing := _missing(folder):
            raise ModelError(
                f"{folder}: is no whole Whisper model for CTranslate2, {', '.join(missing)} is not there; "
                "fetch it again, or name another folder"
            )
        return folder
    check_model_name(str(model))
    return local_folder(str(model)) or _fetched(str(model))


def local_folder(name: str) -> Path | None:
    """Where a model lies that was fetched before; None where it is not here, or not whole."""
    try:
        from faster_whisper.utils import download_model
    except ImportError:
        raise ModelError(INSTALL) from None
    try:
        folder = Path(download_model(name, local_files_only=True))
    except (OSError, ValueError):  # by the version of its library
        return None
    return None if _missing(folder) else folder


def _missing(folder: Path) -> list[str]:
    return [name for name in FILES if not (folder / name).is_file()]


def check_model_name(name: str) -> None:
    """Raises `ModelError` for what is neither a name nor a repository, OWNER/NAME."""
    try:
        from faster_whisper.utils import available_models
    except ImportError:
        raise ModelError(INSTALL) from None
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelError(f"{name}: there is no such folder with a Whisper model")
    if "/" not in name and name not in available_models():
        known = ", ".join(available_models())
        raise ModelError(f"there is no Whisper model named {name!r}; give a folder or one of {known}")


def _fetched(name: str) -> Path:
    """A model from the Hugging Face Hub."""
    from faster_whisper.utils import download_model

    try:
        return Path(download_model(name))
    except Exception:  # of the network, in many classes of several libraries
        raise ModelError(
            f"the Whisper model {name!r} is not on this machine and could not be fetched; connect and try "
            "again, or give a folder with it"
        ) from None


class States(NamedTuple):
    """What the encoder made of a piece."""

    value: Any
    """CTranslate2's, (1, n_states, dim)."""
    n_frames: int
    n_samples: int
    """Of the piece without its tail."""


class Recogniser:
    """Whisper on one thread of the processor, in whole numbers of 8 bits."""

    def __init__(self, model: str | Path, language: str = "") -> None:
        """`language` as a code of two letters, empty to find it out. Raises `ModelError`."""
        folder = model_folder(model)
        self._whisper = _loaded(folder)
        self._model = self._whisper.model
        check_language(language, folder.name, self._whisper.supported_languages)
        self._fixed = language or ("" if self._model.is_multilingual else "en")
        self._language = self._fixed
        self.n_encoded = 0
        """How many times the encoder ran."""

    def check_translates(self) -> None:
        """Raises `ModelError` where the model knows one language alone."""
        if not self._model.is_multilingual:
            raise ModelError(
                "this Whisper model knows English only and cannot translate; choose base, small, …"
            )

    def hear(self, sound: np.ndarray, translate: bool = False) -> Heard:
        """The words of a piece of speech, float32 (n,) at 16 kHz, at most `LONGEST_S` long.

        With `translate` a second decoder reads the same states of the encoder, which runs once, and says it
        in English. Raises `ModelError` where the model cannot."""
        if translate:
            self.check_translates()
        if len(sound) > samples(LONGEST_S):
            long_s = len(sound) / SAMPLE_RATE
            raise VoicelaneError(f"a piece of {long_s:.1f} s is too long; {LONGEST_S:g} s at most")
        states = self._encode(sound, TAIL_S)
        language, probability = self._language_of(states)
        tokens = self._decode(states, language)
        if self._in_circles(tokens):
            states = self._encode(sound, LONGEST_S)
            tokens = once(self._decode(states, language))
        words = without_tail([*self._words(states, tokens, language)], len(sound)) if tokens else []
        translation = self._translated(states, words, language) if translate and words else ""
        return Heard(tuple(tightened(words, sound)), language, probability, translation)

    def _translated(self, states: States, words: Sequence[Word], language: str) -> str:
        """The piece in English, from states that were made for its words."""
        if language == ENGLISH:
            return joined(words)
        tokens = once(self._decode(states, language, "translate"))
        return printable(self._whisper.hf_tokenizer.decode(tokens)).strip()

    def _encode(self, sound: np.ndarray, tail_s: float) -> States:
        """The piece with silence behind it, through the encoder."""
        import ctranslate2

        n_frames = min(LONGEST_FRAMES, (len(sound) + samples(tail_s)) // STEP_SAMPLES * 2)
        padded = np.zeros(n_frames * STEP_SAMPLES // 2, np.float32)
        padded[: len(sound)] = sound[: len(padded)]
        bands = self._whisper.feature_extractor(padded, padding=0)[None, :, :n_frames]
        self.n_encoded += 1
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(bands, np.float32))
        return States(self._model.encode(view), n_frames, len(sound))

    def _language_of(self, states: States) -> tuple[str, float]:
        """The language of a piece, or the one that was heard before where it does not tell."""
        if self._fixed:
            return self._fixed, 1.0
        token, probability = self._model.detect_language(states.value)[0][0]
        tells = probability >= SURE_LANGUAGE and states.n_samples >= samples(TELLING_S)
        if not self._language or tells:
            self._language = token.strip("<|>")
        return self._language, float(probability)

    def _decode(self, states: States, language: str, task: str = "transcribe") -> list[int]:
        """Tokens of the text, none where nothing was said."""
        tokenizer = self._tokenizer(language, task)
        most = min(MOST_TOKENS, LEAST_TOKENS + TOKENS_PER_S * states.n_samples // SAMPLE_RATE)
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        found = self._model.generate(
            states.value,
            [prompt],
            beam_size=1,
            max_length=len(prompt) + most,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        if found.no_speech_prob > SILENT and found.scores[0] < UNSURE:
            return []
        return [token for token in found.sequences_ids[0] if token < tokenizer.eot]

    def _tokenizer(self, language: str, task: str = "transcribe") -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(self._whisper.hf_tokenizer, self._model.is_multilingual, task, language)

    def _in_circles(self, tokens: Sequence[int]) -> bool:
        text = self._whisper.hf_tokenizer.decode(list(tokens)).encode()
        return len(text) > CIRCLES * len(zlib.compress(text))

    def _words(self, states: States, tokens: list[int], language: str) -> Iterator[Word]:
        """Words with their times, by the attention of the decoder to the encoder's states."""
        tokenizer = self._tokenizer(language)
        aligned = self._model.align(states.value, tokenizer.sot_sequence, [tokens], states.n_frames)[0]
        begins = token_begins(aligned.alignments, states.n_samples)
        texts, parts = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
        at = 0
        for text, part in with_punctuation(texts[:-1], parts[:-1]):
            behind = at + len(part)
            start, end = (begins[min(i, len(begins) - 1)] for i in (at, behind))
            sure = aligned.text_token_probs[at:behind]
            yield Word(start, max(start, end), text, float(np.mean(sure)))
            at = behind


def _loaded(folder: Path) -> Any:
    """A model of faster-whisper; raises `ModelError`."""
    try:
        from faster_whisper import WhisperModel
    except ImportError:
        raise ModelError(INSTALL) from None
    try:
        return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
    except Exception as problem:  # CTranslate2 says RuntimeError, tokenizers plain Exception
        reason = " ".join(str(problem).split())
        raise ModelError(
            f"{folder}: the Whisper model is damaged or half downloaded ({reason}); fetch it again"
        ) from None


def check_language(language: str, model: str, known: Sequence[str]) -> None:
    """Raises `ConfigError` for a language that the model does not know; an empty one is found out."""
    if language and language not in known:
        shown = "English only (en)" if list(known) == ["en"] else ", ".join(sorted(known))
        raise ConfigError(f"the model {model} knows no language {language!r}; it knows {shown}")


def with_punctuation(texts: Sequence[str], parts: Sequence[Sequence[int]]) -> Iterator[tuple[str, list[int]]]:
    """Words and their tokens, each with the marks behind it, and the first with those before it."""
    text, tokens = "", list[int]()
    for more, part in zip(texts, parts, strict=True):
        if any(map(str.isalnum, more)) and any(map(str.isalnum, text)):
            yield text, tokens
            text, tokens = "", []
        text, tokens = text + printable(more), [*tokens, *part]
    if any(map(str.isalnum, text)):
        yield text, tokens


def printable(text: str) -> str:
    """The text in one line without control characters and what is no character."""
    return "".join(c for c in text.replace("\n", " ") if is_text(c) and c != "\ufffd")


def once(tokens: Sequence[int], longest: int = 40) -> list[int]:
    """The tokens up to where they begin to say again, at least twice more, what they just said."""
    for begin in range(len(tokens)):
        for length in range(1, min(longest, (len(tokens) - begin) // 3) + 1):
            part = tokens[begin : begin + length]
            if part == tokens[begin + length : begin + 2 * length] == tokens[begin + 2 * length :][:length]:
                return list(tokens[: begin + length])
    return list(tokens)
