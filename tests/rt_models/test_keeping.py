"""Training of the network that keeps one person's voice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from voicelane import Person
from voicelane.config import EncoderConfig
from voicelane.dsp import band_levels
from voicelane.dsp.bands import at_gains
from voicelane.inference import Model, find_model
from voicelane.stages import Keeper, load_encoder

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from voicelane.rt_models.export.keeper import export_keeper  # noqa: E402
from voicelane.rt_models.nets.keeper import KeeperConfig, KeeperNet  # noqa: E402
from voicelane.rt_models.training import cleaning, keeping  # noqa: E402

pytestmark = pytest.mark.torch

SMALL = KeeperConfig(dim=192, person=16, width=24)
PERSON = Person("Anna", np.eye(192, dtype="f4")[:2])


@pytest.fixture
def config() -> keeping.KeeperTrainConfig:
    sound = cleaning.SoundConfig(seconds=0.6, clean_db=0.0)
    return keeping.KeeperTrainConfig(SMALL, sound, mixtures=12, pool=6, columns=40, steps=4, batch=8)


@pytest.fixture
def kept(data, config) -> keeping.Mixed:
    return keeping.mixed(config, data, find_model("clean", "cleaner"))


def test_references_are_of_two_people_and_of_the_first_alone_where_nobody_else_speaks(data, kept):
    speakers = np.array([u.speaker for u in data.cache.utterances])
    for references, gains in zip(kept.references, kept.bands[:, 2:], strict=True):
        first, second = (set(speakers[r[r >= 0]]) for r in references)
        assert len(first) == 1 and len(second) <= 1 and first != second
        assert gains[1].any() <= bool(second)
    assert (kept.references[:, 1, 0] < 0).any() and (kept.references[:, 1, 0] >= 0).any()


def test_the_gains_make_each_voice_of_the_cleaned_sound(enrolment_sound):
    """In time with it, and nearer to the voice than the mixture is."""
    first, second = (cleaning.spectra(x[:32_000]) for x in list(enrolment_sound.values())[:2])
    model = Model(find_model("clean", "cleaner"))
    found = keeping.bands(model, first + second, first, second).astype("f4")
    mixture = model.run(spectra=(first + second)[None])[0][0, 4:]
    for gains, voice in zip(found[2:], (first, second), strict=True):
        wrong = [np.square(at_gains(mixture, np.roll(gains, k, 0)) - voice[:-4]).sum() for k in range(-3, 4)]
        assert int(np.argmin(wrong)) == 3 and wrong[3] < 0.3 * np.square(mixture - voice[:-4]).sum()
    np.testing.assert_allclose(found[1], band_levels(mixture), atol=1e-2)


def test_of_somebody_who_is_not_there_nothing_is_to_be_kept(config, kept, rng):
    voices = rng.standard_normal((12, 192)).astype("f4")
    drawn = keeping.Lessons(dataclasses.replace(config, absent=1.0, anybody=0.0), kept, voices).draw(rng)
    assert not drawn.gain.any() and drawn.cleaned.any()
    torch.testing.assert_close(drawn.person.norm(dim=1), torch.ones(8))
    there = keeping.Lessons(dataclasses.replace(config, absent=0.0, anybody=1.0), kept, voices).draw(rng)
    assert there.gain.any() and not there.person.any()


def test_the_embeddings_are_those_of_the_recordings_that_are_wanted(data):
    encoder = load_encoder(EncoderConfig())
    found = keeping.embedded(data, encoder, np.array([[0, 3], [-1, 3]]))
    lengths = np.linalg.norm(found, axis=1)
    np.testing.assert_allclose(lengths, np.isin(np.arange(12), (0, 3)), atol=1e-5)


def test_the_loss_is_that_of_gains_which_are_wrong(config, kept, rng):
    """Of a network that keeps nothing it is small where nothing is wanted, and the other way round."""
    voices, losses = rng.standard_normal((12, 192)).astype("f4"), {}
    for absent in (0.0, 1.0):
        crops = keeping.Lessons(dataclasses.replace(config, absent=absent), kept, voices).draw(rng)
        for kept_all in (False, True):
            net = KeeperNet(SMALL)
            torch.nn.init.zeros_(net.out.weight)
            torch.nn.init.constant_(net.out.bias, 20.0 if kept_all else -20.0)
            losses[absent, kept_all] = keeping.judged(net, crops, 0.3, 0.05)[1]["error"]
    assert losses[1.0, False] < 1e-6 < losses[0.0, False] and losses[1.0, True] > 0.99


def test_in_pieces_it_gives_what_it_gives_at_once():
    net, parts = KeeperNet(SMALL).eval(), []
    columns, person, hidden = torch.randn(2, 2, 40, 80), torch.randn(2, 192), torch.zeros(2, 2, 24)
    for piece in columns.split(8, dim=2):
        found, hidden = net(*piece, person, hidden)
        parts.append(found)
    torch.testing.assert_close(torch.cat(parts, dim=1), net(*columns, person, net.silence(2))[0])


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_exactly(data, config, kept, tmp_path):
    config = dataclasses.replace(config, steps=202)
    voices = np.random.default_rng(0).standard_normal((12, 192)).astype("f4")
    lessons = keeping.Lessons(config, kept, voices)
    whole = keeping.train(config, lessons)
    keeping.train(config, lessons, tmp_path / "parts.pt", stop_after=200)
    resumed = keeping.train(config, lessons, tmp_path / "parts.pt")
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("guidance", [0.0, 1.0, 2.5])
def test_the_exported_network_is_guided_from_anybody_to_the_person(tmp_path, rng, guidance):
    torch.manual_seed(0)
    net = KeeperNet(SMALL).eval()
    assert export_keeper(net, {}, tmp_path / "toy", "0") <= 1e-4
    noisy, cleaned = rng.standard_normal((2, 40, 257, 2)).astype(np.float32)
    keeper = Keeper(Model(tmp_path / "toy"), PERSON, guidance)
    whole = keeper.process(noisy, cleaned)
    keeper.reset()
    parts = [keeper.process(noisy[a : a + 6], cleaned[a : a + 6]) for a in range(0, 40, 6)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)
    people = torch.zeros(2, 192)
    people[1, :2] = 0.5**0.5
    levels = (torch.from_numpy(band_levels(x))[None] for x in (cleaned, noisy))
    with torch.inference_mode():
        anybody, own = net(*levels, people, net.silence(2))[0].numpy()
    gains = 1 / (1 + np.exp(-(anybody + guidance * (own - anybody))))
    wanted = at_gains(np.concatenate((np.zeros((4, 257, 2), "f4"), cleaned[:-4])), gains)
    np.testing.assert_allclose(whole, wanted, atol=1e-3)
