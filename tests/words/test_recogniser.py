"""Whisper as the captions use it: words with times, silence and noise, models that are not whole."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("faster_whisper")
pytest.importorskip("hibari")
from tests.words.models import base_model, english_model
from voicelane.base import samples
from voicelane.base.errors import ConfigError, ModelError, VoicelaneError
from voicelane.bench.scripted import spoken
from voicelane.events import Word
from voicelane.words import Recogniser, normalised
from voicelane.words.process import RecogniserProcess
from voicelane.words.recogniser import LONGEST_S, model_folder, once, with_punctuation
from voicelane.words.timing import tightened, token_begins, without_tail

SENTENCE = "Please send me the report before Friday, the client is waiting for it."


def text(words: tuple[Word, ...]) -> list[str]:
    return normalised("".join(word.text for word in words))


@pytest.fixture(scope="module")
def english() -> Recogniser:
    return Recogniser(english_model())


@pytest.fixture(scope="module")
def sentence() -> np.ndarray:
    """The sentence with a second of silence before and behind it."""
    return np.pad(spoken(SENTENCE, 1.0), samples(1.0))


@pytest.mark.slow
def test_words_are_heard_with_their_times(english, sentence):
    heard = english.hear(sentence)
    assert text(heard.words) == normalised(SENTENCE) and heard.language == "en"
    starts, ends = [w.start for w in heard.words], [w.end for w in heard.words]
    assert starts == sorted(starts) and all(a <= b for a, b in zip(starts, ends, strict=True))
    assert abs(starts[0] - samples(1.0)) < samples(0.2)
    assert abs(ends[-1] - (len(sentence) - samples(1.0))) < samples(0.2)


@pytest.mark.slow
def test_the_encoder_sees_the_piece_and_not_thirty_seconds(english, sentence):
    before = english.n_encoded
    states = english._encode(sentence, 1.0)
    assert states.n_frames == (len(sentence) + samples(1.0)) // 320 * 2 < 1_000
    assert english.n_encoded == before + 1


@pytest.mark.slow
@pytest.mark.parametrize("n_samples", [0, 1, 159, 8_000, 48_000])
def test_silence_has_no_words(english, n_samples):
    assert english.hear(np.zeros(n_samples, np.float32)).words == ()


@pytest.mark.slow
def test_noise_and_tones_have_no_words(english, rng):
    noise = (0.05 * rng.standard_normal(48_000)).astype(np.float32)
    tone = (0.3 * np.sin(np.arange(48_000) * 0.17)).astype(np.float32)
    assert english.hear(noise).words == english.hear(tone).words == ()


@pytest.mark.slow
def test_too_long_a_piece_is_refused(english):
    with pytest.raises(VoicelaneError, match="28 s at most"):
        english.hear(np.zeros(samples(LONGEST_S) + 1, np.float32))


@pytest.mark.slow
def test_the_multilingual_model_finds_the_language_out(sentence):
    heard = Recogniser(base_model()).hear(sentence)
    assert heard.language == "en" and heard.language_probability > 0.8
    assert text(heard.words) == normalised(SENTENCE)


@pytest.mark.slow
def test_a_language_that_a_model_does_not_know_is_refused():
    with pytest.raises(ConfigError, match=r"knows no language 'de'; it knows English only"):
        Recogniser(english_model(), "de")
    with pytest.raises(ConfigError, match="knows no language 'xx'; it knows af, am,"):
        Recogniser(base_model(), "xx")


def test_a_folder_that_is_no_model_says_what_is_missing(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"model\.bin, tokenizer\.json is not there; fetch it again"):
        model_folder(tmp_path)
    with pytest.raises(ModelError, match="no such folder with a Whisper model"):
        model_folder(tmp_path / "nowhere")


def test_a_name_that_nobody_knows_names_those_that_there_are():
    with pytest.raises(ModelError, match=r"no Whisper model named 'enormous'.*tiny, base"):
        model_folder("enormous")


def test_a_model_that_cannot_be_fetched_is_one_sentence(monkeypatch, tmp_path):
    def unreachable(name: str, local_files_only: bool = False) -> str:
        raise FileNotFoundError if local_files_only else ConnectionError("no route")

    monkeypatch.setattr("faster_whisper.utils.download_model", unreachable)
    with pytest.raises(ModelError, match=r"'base' is not on this machine and could not be fetched"):
        model_folder("base")


def test_a_model_that_was_fetched_by_half_is_fetched_again(monkeypatch, tmp_path):
    asked = []

    def fetch(name: str, local_files_only: bool = False) -> str:
        asked.append(local_files_only)
        for file in ("config.json", "model.bin", "tokenizer.json")[: 3 - local_files_only]:
            (tmp_path / file).touch()
        return str(tmp_path)

    monkeypatch.setattr("faster_whisper.utils.download_model", fetch)
    assert model_folder("base") == tmp_path and asked == [True, False]
    assert model_folder("base") == tmp_path and asked == [True, False, True]


def damaged(folder: Path, name: str, size: int) -> Path:
    """A model of which one file breaks off."""
    folder.mkdir()
    for path in english_model().iterdir():
        if path.name != name:
            (folder / path.name).symlink_to(path)
    with (english_model() / name).open("rb") as file:
        (folder / name).write_bytes(file.read(size))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"), [("model.bin", 1_000_000), ("model.bin", 0), ("tokenizer.json", 99)]
)
def test_a_half_downloaded_model_is_one_sentence(tmp_path, name, size):
    folder = damaged(tmp_path / "model", name, size)
    with pytest.raises(ModelError, match=r"damaged or half downloaded .* fetch it again") as problem:
        Recogniser(folder)
    assert "\n" not in str(problem.value)


@pytest.mark.slow
def test_a_process_of_its_own_hears_the_same_dies_and_comes_again(english, sentence):
    process = RecogniserProcess(english_model())
    process.wait_until_ready()
    process.ask(sentence)
    assert process.answer(60.0) == english.hear(sentence)
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises((EOFError, OSError)):
        for _ in range(100):
            process.ask(sentence)
            process.answer(60.0)
    process.restart()
    process.ask(sentence)
    assert process.answer(60.0).words
    process.close()


@pytest.mark.slow
def test_a_process_whose_model_is_damaged_says_so(tmp_path):
    folder = damaged(tmp_path / "model", "model.bin", 1_000_000)
    with pytest.raises(ModelError, match="half downloaded"):
        RecogniserProcess(folder).wait_until_ready()


def test_circles_are_cut_where_they_begin():
    assert once([1, 2, 3, 4, 5]) == [1, 2, 3, 4, 5]
    assert once([7, 1, 2, 1, 2, 1, 2, 1]) == [7, 1, 2]
    assert once([1, 2, 1, 2]) == [1, 2, 1, 2]  # said twice is said
    assert once([]) == []


def test_marks_stay_with_their_words():
    words = with_punctuation([" Hello", ",", " you", "?", '"'], [[1], [2], [3, 4], [5], [6]])
    assert list(words) == [(" Hello,", [1, 2]), (' you?"', [3, 4, 5, 6])]
    assert list(with_punctuation([" -", " no", "\ufffd"], [[1], [2], [3]])) == [(" - no", [1, 2, 3])]
    assert list(with_punctuation([" ♪"], [[1]])) == []


def test_times_of_words():
    assert token_begins([(0, 3), (0, 4), (1, 9), (2, 9), (2, 70)], 10_000) == [960, 2_880, 2_880]
    quiet = np.concatenate([np.zeros(1_600), np.ones(1_600), np.zeros(1_600)]).astype(np.float32)
    (word,) = tightened([Word(0, 4_800, " a", 0.9)], quiet)
    assert (word.start, word.end) == (1_600, 3_200)
    assert list(tightened([Word(0, 800, " a", 0.9)], quiet)) == [Word(0, 800, " a", 0.9)]
    assert list(tightened([Word(0, 50, " a", 0.9)], np.zeros(100, np.float32))) == [Word(0, 50, " a", 0.9)]
    said = [Word(0, 3_000, " a", 0.9), Word(3_000, 3_200, " b", 0.9), Word(4_700, 4_800, " c", 0.9)]
    assert without_tail(said, 4_800) == said[:1]
