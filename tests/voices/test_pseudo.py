"""Voices of nobody, as the shipped network draws them."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane import VoicelaneError
from voicelane.base import ModelError
from voicelane.cli.main import main
from voicelane.config import EncoderConfig
from voicelane.dsp import ddpm
from voicelane.stages import load_encoder
from voicelane.voices import VoiceLibrary, load_pseudo_voices


@pytest.fixture(scope="module")
def drawing():
    return load_pseudo_voices()


def test_the_shipped_network_is_for_the_shipped_encoder(drawing):
    encoder = load_encoder(EncoderConfig())
    assert (drawing.encoder_id, drawing.dim) == (encoder.id, encoder.dim)


def test_sampling_begins_at_what_the_schedule_ends_in(drawing):
    assert drawing.alpha_bar[-1] < ddpm.NOISE


def test_a_seed_draws_the_same_voice_again(drawing):
    first, again, other = (drawing.new("V", np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.embedding, again.embedding)
    assert first.pitch_hz == again.pitch_hz
    assert float(first.embedding @ other.embedding) < 0.9
    assert first.kind == "pseudo"


def test_low_and_high_voices_are_told_by_their_embeddings(drawing):
    rng = np.random.default_rng(0)
    hz = {like: drawing.pitches(like, 40, rng) for like in ("low", "high")}
    told = {like: np.array([drawing.pitch_of(v) for v in drawing.draw(p, rng)]) for like, p in hz.items()}
    assert max(hz["low"]) < min(hz["high"])
    assert np.median(told["low"]) < 0.85 * np.median(told["high"])
    wanted, found = (np.log(np.concatenate([x["low"], x["high"]])) for x in (hz, told))
    assert np.corrcoef(wanted, found)[0, 1] > 0.7


def test_voices_around_one_are_like_it_and_not_it(drawing):
    rng = np.random.default_rng(3)
    person = drawing.new("Person", rng).embedding
    strangers = drawing.draw(np.full(20, np.nan), rng) @ person
    near = drawing.around(person, np.full(20, drawing.pitch_of(person)), rng) @ person
    assert np.median(near) > np.quantile(strangers, 0.95)
    assert near.max() < 0.97


@pytest.mark.parametrize("steps", [15, 8, 4])
def test_few_steps_give_unit_vectors(drawing, steps):
    found = drawing.draw(np.array([100.0, np.nan, 220.0]), np.random.default_rng(0), steps=steps, eta=0.0)
    assert found.shape == (3, drawing.dim)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)


def test_embeddings_of_other_encoders_and_unknown_words_are_refused(drawing):
    with pytest.raises(VoicelaneError, match="enrol the person with that encoder"):
        drawing.new("V", np.random.default_rng(0), np.ones(7, np.float32))
    with pytest.raises(VoicelaneError, match="like 'loud'"):
        drawing.new("V", np.random.default_rng(0), "loud")
    with pytest.raises(ModelError, match="training voices"):
        load_pseudo_voices("0" * 64)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VOICELANE_HOME", str(tmp_path))
    return tmp_path


def test_the_command_makes_lists_shows_and_removes(home, capsys):
    assert main(["voices", "list"]) == 0
    assert "no voices yet" in capsys.readouterr().out
    assert main(["voices", "new", "--like", "low", "--seed", "4", "--count", "2"]) == 0
    made = capsys.readouterr().out.splitlines()
    assert len(made) == 2 and all("nobody's" in line for line in made)
    assert main(["voices", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == made
    assert main(["voices", "show", "pseudo-1"]) == 0
    assert "to pseudo-2" in capsys.readouterr().out
    first = VoiceLibrary().voice("pseudo-1")
    assert main(["voices", "remove", "pseudo-1"]) == 0
    assert main(["voices", "new", "--like", "low", "--seed", "4"]) == 0
    np.testing.assert_array_equal(VoiceLibrary().voice("pseudo-1").embedding, first.embedding)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["new", "--count", "0"], "--count 0: expected 1"),
        (["new", "--seed", "-1"], "--seed -1"),
        (["new", "--like", "Nobody"], "no profile named 'Nobody'"),
        (["new", "--encoder", "lstm"], "no model that draws voices"),
        (["show", "Nobody"], "no voice named 'Nobody'"),
        (["remove", "../../etc/passwd"], "no voice named"),
    ],
)
def test_bad_wishes_are_answered_in_a_sentence(home, capsys, words, says):
    assert main(["voices", *words]) == 2
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1
    assert not (home / "voices").exists()
