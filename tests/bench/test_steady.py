"""How far labels move by chance is measured by what was moved alone."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import DEMO
from voicelane import Turn
from voicelane.bench import steady
from voicelane.bench.sound import read_mono
from voicelane.config import EncoderConfig
from voicelane.events import SpeakerTurn
from voicelane.stages import load_encoder, load_scale

SHORT_S = 20.0


@pytest.fixture(scope="module")
def scale():
    return load_scale(EncoderConfig(), load_encoder(EncoderConfig()))


def test_a_shift_is_taken_off_again(rng):
    sound = rng.standard_normal(16_000).astype(np.float32)
    np.testing.assert_array_equal(steady.shifted(sound, 12.5)[200:], sound)
    turn = SpeakerTurn(16_000, "S1", 1_600, 8_000, 8_000, 1.0, True)
    assert steady.error([turn], [Turn("anna", 0.1 - 0.0125, 0.5 - 0.0125)], 0.0125) == [0.0, 0.0]


@pytest.mark.parametrize("db", steady.LEVELS_DB)
def test_a_level_is_that_of_the_loudest_sample(db, rng):
    sound = steady.at_level(rng.standard_normal(1000).astype(np.float32), db)
    assert 20 * np.log10(np.abs(sound).max()) == pytest.approx(db, abs=1e-3)


@pytest.mark.parametrize("factor", steady.FACTORS)
def test_a_threshold_stands_at_its_share_of_the_cosine(scale, factor):
    """Two unit vectors at that share of the default's cosine have just that ratio."""

    def ratio(cosine: float) -> float:
        heard, known = np.array([[1.0, 0.0]]), np.array([[cosine, np.sqrt(1 - cosine**2)]])
        lengths = (np.array([steady.HEARD_S]), np.array([steady.KNOWN_S]))
        return float(scale.ratios(heard, lengths[0], known, lengths[1])[0, 0])

    low, high = ratio(0.0), ratio(1.0)
    default = (-0.5 - low) / (high - low)
    assert steady.threshold(scale, -0.5, factor) == pytest.approx(ratio(factor * default))


@pytest.mark.slow
def test_the_table_has_every_variation(tmp_path):
    sf.write(tmp_path / "talk.flac", read_mono(DEMO)[: int(SHORT_S * 16_000)], 16_000)
    lines = DEMO.with_suffix(".rttm").read_text().splitlines(keepends=True)
    (tmp_path / "talk.rttm").write_text("".join(k for k in lines if float(k.split()[3]) < SHORT_S - 5))
    plot = tmp_path / "plot.png"
    result = steady.measure(Namespace(config=None, audio=tmp_path, plot=plot))
    found = result.content["files"]["talk"]
    assert [len(found[k]) for k in ("shifts", "levels", "thresholds")] == [12, 8, 7]
    moved, swept = result.tables
    expected = [x for k in ("shifts", "levels", "thresholds") for x in np.ptp(found[k], axis=0)]
    assert list(moved.rows[0][1:]) == pytest.approx(expected)
    assert [row[0] for row in swept.rows] == list(steady.FACTORS) and plot.stat().st_size > 1000
