"""Spoken digits as the shipped networks draw and read them, and the challenge of `verify`."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile as sf

from tests.cli.test_main import voicelane, wav
from voicelane import VoicelaneError
from voicelane.cli.main import main
from voicelane.voices import (
    LANGUAGES,
    classes_of,
    draw_digits,
    judge,
    load_digit_reader,
    load_digit_speaker,
)
from voicelane.voices.digits import parse_digits, pictures_of, words_in


@pytest.fixture(scope="module")
def reader():
    return load_digit_reader()


def tone(seconds, pitch_hz=200.0):
    time = np.arange(int(16_000 * seconds)) / 16_000
    return (0.3 * np.sin(2 * np.pi * pitch_hz * time)).astype(np.float32)


def spaced(words, pause_s=0.3, rng=None):
    pause = np.zeros(int(16_000 * pause_s), np.float32)
    sound = np.concatenate([pause, *(part for word in words for part in (word, pause))])
    return sound if rng is None else sound + 1e-3 * rng.standard_normal(len(sound)).astype(np.float32)


@pytest.mark.parametrize(
    ("text", "digits"), [("4 7 1 9", [4, 7, 1, 9]), ("4719", [4, 7, 1, 9]), ("0-0,0", [0] * 3)]
)
def test_digits_are_read_from_text(text, digits):
    assert parse_digits(text) == digits


@pytest.mark.parametrize("text", ["", "four", "4 7 x", "²", "٣", "1" * 101, "4\0", "-"])
def test_other_text_is_refused(text):
    with pytest.raises(VoicelaneError, match="expected 1 … 100 digits"):
        parse_digits(text)


def test_words_are_divided_by_pauses(rng):
    for noisy in (None, rng):
        found = words_in(spaced([tone(0.3), tone(0.25), tone(0.4)], rng=noisy))
        assert [round(len(w) / 16_000, 1) for w in found] == [0.4, 0.3, 0.5]


def test_a_stop_inside_a_word_divides_it_not_and_a_click_is_none():
    stopped = np.concatenate((tone(0.15), np.zeros(1300, np.float32), tone(0.1)))
    assert len(words_in(spaced([stopped, tone(0.02), tone(0.3)]))) == 2


def test_a_hesitation_inside_a_word_divides_it_only_where_more_words_may_be():
    hesitant = np.concatenate((tone(0.2), np.zeros(3200, np.float32), tone(0.2)))
    sound = spaced([tone(0.3), hesitant], pause_s=0.4)
    assert (len(words_in(sound)), len(words_in(sound, 3)), len(words_in(sound, 2))) == (3, 3, 2)


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(20_000), np.zeros(100)])
def test_silence_has_no_words(sound, reader):
    assert words_in(sound) == []
    answer = judge(sound, [1, 2, 3, 4], reader, "en")
    assert not answer.right and "heard 0 words" in answer.sentence()


def test_a_challenge_asks_for_four_different_digits():
    drawn = [draw_digits(np.random.default_rng(seed)) for seed in range(200)]
    assert all(len(set(d)) == 4 and set(d) <= set(range(10)) for d in drawn)
    assert len({tuple(d) for d in drawn}) > 150


class Reads:
    """A reader that hears what it is told to, and is as sure as it is told to be."""

    def __init__(self, *digits, sure=0.9):
        self._digits, self._sure = digits, sure

    def read(self, pictures, language):
        rest = np.log((1 - self._sure) / 9)
        logs = np.full((len(pictures), 10), rest)
        logs[np.arange(len(pictures)), self._digits] = np.log(self._sure)
        return logs


@pytest.mark.parametrize(
    ("heard", "sure", "right"),
    [
        ((4, 7, 1, 9), 0.9, True),
        ((4, 7, 1, 8), 0.99, False),
        ((9, 1, 7, 4), 0.9, False),
        ((4, 7, 1, 9), 0.2, False),
    ],
)
def test_the_digits_asked_for_pass_in_their_order_alone(heard, sure, right):
    sound = spaced([tone(0.3)] * 4)
    assert judge(sound, [4, 7, 1, 9], Reads(*heard, sure=sure), "en").right == right


@pytest.mark.parametrize("count", [3, 5])
def test_a_word_more_or_less_is_no_answer(count):
    answer = judge(spaced([tone(0.3)] * count), [4, 7, 1, 9], Reads(*[4] * count), "en")
    assert not answer.right and f"heard {count} words" in answer.sentence()


def test_the_reader_gives_probabilities(reader, rng):
    logs = reader.read(pictures_of([tone(0.4), tone(0.3, 400)]), "ar")
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1.0)
    with pytest.raises(VoicelaneError, match="en or ar"):
        classes_of([1], "de")


def saying(*arguments: object) -> int:
    return main([str(a) for a in arguments])


def test_the_reader_reads_what_is_drawn_and_a_seed_repeats_it(reader, speaker, tmp_path, capsys):
    files = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for file in files:
        assert saying("digits", "4 7 1 9", "--out", file, "--seed", 3) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    sound, rate = sf.read(files[0])
    assert rate == 16_000 and 1.0 < len(sound) / rate < 5.0
    classes = np.repeat(np.arange(20), 3)
    drawn = speaker.draw(classes, np.random.default_rng(0))
    read = [reader.read(drawn[classes // 10 == k], name).argmax(axis=1) for k, name in enumerate(LANGUAGES)]
    assert (np.concatenate(read) == classes % 10).mean() > 0.6  # a tenth by chance


@pytest.fixture(scope="module")
def speaker():
    return load_digit_speaker()


@pytest.mark.parametrize("guided", [False, True])
def test_the_diffusion_takes_noise_off_a_digit(reader, speaker, guided):
    """What is drawn, with noise on it, comes nearer to what it was; a seed repeats it."""
    classes = classes_of(range(10), "en")
    clean = speaker.draw(classes, np.random.default_rng(3))
    noisy = np.clip(clean + 0.3 * np.random.default_rng(4).standard_normal(clean.shape), -1, 1).astype("f4")
    guide = reader if guided else None
    made, again = (speaker.enhance(noisy, np.random.default_rng(5), 0.2, 4, guide, "en") for _ in range(2))
    np.testing.assert_array_equal(made, again)
    assert np.abs(made).max() <= 1.0
    assert np.square(made - clean).mean() < 0.8 * np.square(noisy - clean).mean()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["four", "--out", "x.wav"], "expected 1 … 100 digits"),
        (["4", "--out", "x.wav", "--language", "de"], "expected en or ar"),
        (["4", "--out", "x.wav", "--steps", "0"], "--steps 0: expected 1 … 300"),
        (["4", "--out", "x.wav", "--seed", "-1"], "--seed -1"),
        (["4", "--out", "no/such/x.wav"], "no/such/x.wav"),
    ],
)
def test_bad_wishes_are_one_sentence_and_no_file(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert saying("digits", *words) == 2
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1
    assert not list(tmp_path.rglob("*.wav"))


@pytest.fixture
def enrolled(tmp_path, enrolment_sound, capsys):
    name, sound = next(iter(enrolment_sound.items()))
    assert voicelane("enrol", name, wav(tmp_path / "enrolled.wav", sound)) == 0
    capsys.readouterr()
    return name


def test_a_replayed_sentence_of_the_right_person_is_refused(enrolled, later, tmp_path, capsys):
    """The voice is right, and no digit is: what `verify` alone accepts, the challenge rejects."""
    spoken = wav(tmp_path / "later.wav", later[enrolled])
    assert voicelane("verify", enrolled, spoken, "--false-accepts", 5) == 0
    assert voicelane("verify", enrolled, spoken, "--false-accepts", 5, "--challenge", "4 7 1 9") == 1
    assert "REJECT: the voice fits, the digits do not" in capsys.readouterr().out


def test_voice_and_digits_must_both_be_right(enrolled, later, tmp_path, monkeypatch, capsys):
    """Four stretches of the right voice, taken for the digits asked for: only they are accepted."""
    words = [later[enrolled][k * 24_000 : k * 24_000 + 20_000] for k in range(4)]
    monkeypatch.setattr("voicelane.voices.challenge.words_in", lambda sound, expected: words)
    spoken = wav(tmp_path / "later.wav", later[enrolled][:96_000])
    for heard, status in (((4, 7, 1, 9), 0), ((4, 7, 1, 8), 1)):
        monkeypatch.setattr("voicelane.voices.digits.load_digit_reader", lambda h=heard: Reads(*h, sure=0.99))
        given = ("--false-accepts", 5, "--challenge", "4719")
        assert voicelane("verify", enrolled, spoken, *given) == status
    stranger = next(name for name in later if name != enrolled)
    other = wav(tmp_path / "other.wav", later[stranger][:96_000])
    monkeypatch.setattr("voicelane.voices.digits.load_digit_reader", lambda: Reads(4, 7, 1, 9, sure=0.99))
    assert voicelane("verify", enrolled, other, "--false-accepts", 5, "--challenge", "4719") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--challenge"], "cannot answer digits that are drawn now"),
        (["--challenge", "471"], "expected 4 digits"),
        (["--challenge", "four"], "expected 1 … 100 digits"),
        (["--challenge", "4719", "--live"], "leave out --live"),
        (["--challenge", "4719", "--language", "xx"], "expected en or ar"),
    ],
)
def test_impossible_challenges_are_errors(enrolled, later, tmp_path, capsys, words, says):
    spoken = wav(tmp_path / "later.wav", later[enrolled][:32_000])
    assert voicelane("verify", enrolled, spoken, *words) == 2
    assert says in capsys.readouterr().err
