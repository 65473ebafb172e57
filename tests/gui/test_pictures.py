"""The arithmetic of pictures and of playing: plain functions against their plain twins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from voicelane.base import samples
from voicelane.live import Sound

pytest.importorskip("PySide6")

from PySide6.QtGui import QColor, QImage

from tests.gui.test_state import turn
from voicelane.gui.look.theme import LIGHT
from voicelane.gui.model.growing import Growing
from voicelane.gui.model.lanes import Lanes
from voicelane.gui.model.level import Level
from voicelane.gui.model.projection import StableMap, procrustes
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.model.state import State, reduce_all
from voicelane.gui.model.viewport import Viewport, clock, tick_step_s
from voicelane.gui.panels.gauge import angle
from voicelane.gui.panels.timeline.images import spectrogram_image, waveform_image
from voicelane.gui.panels.timeline.rows import OVERVIEW, Rows
from voicelane.gui.panels.timeline.spans import overlaps, pixels

pytestmark = pytest.mark.qt


@pytest.fixture(scope="module")
def history(speech) -> SoundHistory:
    found, at = SoundHistory(), 0
    rng = np.random.default_rng(0)
    while at < len(speech):
        n = int(rng.integers(1, 5_000))
        found.hear(Sound(at, speech[at : at + n]))
        at += n
    return found


def test_the_sound_comes_back_as_it_was_heard(history, speech):
    assert history.n_samples == len(speech)
    assert np.abs(history.read(0, len(speech)) - speech).max() <= 1 / 32_768
    np.testing.assert_array_equal(history.read(1_000, 1_010), history.read(0, 1_010)[1_000:])
    assert len(history.read(len(speech) - 5, len(speech) + 100)) == 5


def test_what_was_not_heard_is_silence_in_its_place():
    history = SoundHistory()
    history.hear(Sound(0, np.full(500, 0.5, np.float32)))
    history.hear(Sound(40_000, np.full(500, 0.5, np.float32)))
    found = history.read(0, 50_000)
    assert len(found) == 40_500 and not found[500:40_000].any() and found[40_000:].all()


@pytest.mark.parametrize("per_pixel", [16, 37, 100, 160, 400, 1_280, 3_000, 12_800])
@pytest.mark.parametrize("first", [0, 7])
def test_each_pixel_of_the_waveform_is_least_and_greatest_of_its_sound(history, speech, per_pixel, first):
    """Up to one bin of 10 ms, or of the coarser level that is in use, at its edges."""
    low, high = history.waveform(first, 200, per_pixel)
    assert 0 < len(low) <= 200
    level_bin = max(b for b in (1, 160, 1_280, 10_240) if b <= max(1, per_pixel)) if per_pixel >= 160 else 1
    for i in range(0, len(low) - 1, 3):
        start, end = int((first + i) * per_pixel), int((first + i + 1) * per_pixel)
        wide = speech[max(0, start - level_bin) : end + level_bin]
        narrow = speech[start + level_bin : end - level_bin]
        assert wide.min() - 1e-4 <= low[i] and high[i] <= wide.max() + 1e-4
        if len(narrow):
            assert low[i] <= narrow.min() + 1e-4 and high[i] >= narrow.max() - 1e-4


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_pictures_have_a_column_for_each_pixel_of_the_screen_in_a_format_that_is_drawn_as_it_is(
    history, ratio
):
    view, theme, formats = Viewport(0, 400, 300), LIGHT, QImage.Format
    wave = waveform_image(history, view, [], 50, ratio, theme)
    spectrum = spectrogram_image(history, view, ratio, theme.heat_table())
    assert (wave.width(), wave.height()) == (round(300 * ratio), round(50 * ratio))
    assert (spectrum.width(), spectrum.height()) == (round(300 * ratio), 64)
    assert wave.format() == formats.Format_ARGB32_Premultiplied and spectrum.format() == formats.Format_RGB32
    colours = {wave.pixel(x, y) for x in range(wave.width()) for y in range(wave.height())}
    assert colours == {0, QColor(theme.wave).rgba()}
    loudness = history.spectrogram(0, spectrum.width(), 400 / ratio)
    table = np.array(theme.heat_table())
    found = [[spectrum.pixel(x, 63 - band) for band in range(64)] for x in range(0, spectrum.width(), 50)]
    np.testing.assert_array_equal(np.array(found), table[loudness[::50]])


def test_the_spectrogram_shows_a_tone_at_its_height_and_silence_as_nothing():
    history, t = SoundHistory(), np.arange(32_000) / 16_000
    tone = (0.5 * np.sin(2 * np.pi * np.where(t < 1, 400, 4_000) * t)).astype(np.float32)
    history.hear(Sound(0, tone))
    history.hear(Sound(48_000, np.zeros(16_000, np.float32)))
    columns = history.spectrogram(0, 200, 320)
    peaks = columns.argmax(axis=1)
    assert np.ptp(peaks[5:45]) <= 1 and np.ptp(peaks[55:95]) <= 1 and peaks[70] - peaks[20] > 20
    assert columns[:95].max(axis=1).min() > 200 and not columns[105:].any()
    assert history.spectrogram(0, 50, 2_560).shape[0] == 25, "of a coarser level, as far as there is sound"


def test_a_growing_array_keeps_old_views_and_all_rows():
    grown, rng = Growing((2,), np.float32), np.random.default_rng(1)
    rows = rng.standard_normal((5_000, 2)).astype(np.float32)
    first = None
    for part in np.array_split(rows, 77):
        grown.append(part)
        first = grown.view() if first is None else first
    np.testing.assert_array_equal(grown.view(), rows)
    np.testing.assert_array_equal(first, rows[: len(first)])


def test_the_meter_knows_clipping_and_the_distance_to_the_noise(rng):
    level = Level()
    assert level.snr_db is None and not level.clipping
    noise = rng.standard_normal(80_000).astype(np.float32) * 0.001
    level.hear(noise)
    voice = noise[:80_000] + 0.1 * np.sin(np.arange(80_000)).astype(np.float32)
    level.hear(voice)
    assert level.snr_db == pytest.approx(20 * np.log10(0.0707 / 0.001), abs=1.5)
    assert level.peak_db == pytest.approx(-20, abs=0.5) and not level.clipping
    level.hear(np.ones(320, np.float32))
    assert level.clipping
    level.hear(voice[:32_000])
    assert not level.clipping


@pytest.mark.parametrize("seed", range(10))
def test_zooming_keeps_the_sound_under_the_mouse(seed):
    rng = np.random.default_rng(seed)
    view, length = Viewport(width=900).moved_to(3_000_000, 60_000_000), 60_000_000
    for _ in range(12):
        x = float(rng.uniform(100, 800))
        before = view.sample(x)
        closer = view.zoomed(float(np.exp(rng.uniform(-1, 1))), x, length)
        if closer.start > 0 and closer.end < length:
            assert abs(closer.sample(x) - before) <= 2 * max(closer.per_pixel, view.per_pixel)
        view = closer
        assert view.x(view.sample(x)) == pytest.approx(x, abs=1)


def test_following_keeps_the_newest_sound_in_sight_and_moving_ends_it():
    view = Viewport(width=1_000)
    for length in (0, 1_000, 10_000_000):
        view = view.following(length)
        assert view.follow and view.start <= length <= view.end
    moved = view.scrolled(-200, 10_000_000)
    assert not moved.follow and moved.start == pytest.approx(view.start - 200 * view.per_pixel)
    assert moved.zoomed(1.5, 400, 10_000_000).follow is False
    whole = moved.whole(10_000_000)
    assert whole.start == 0 and whole.end >= 10_000_000
    assert moved.showing(5, 10_000_000).start <= 5 < moved.start
    assert moved.showing(int(moved.start) + 5, 10_000_000) == moved


def test_clocks_and_rulers():
    assert [clock(t, d) for t, d in ((0, 0), (59.96, 1), (3_600, 0), (3_725.25, 2))] == [
        "0:00",
        "1:00.0",
        "1:00:00",
        "1:02:05.25",
    ]
    for per_pixel in (16, 100, 1_000, 50_000):
        assert tick_step_s(per_pixel) * 16_000 / per_pixel >= 90


def test_turns_closer_than_a_pixel_are_drawn_as_one():
    view = Viewport(0, 100, 50, False)
    spans = np.array([(0, 90), (120, 150), (160, 170), (1_000, 1_990), (4_000, 9_000)]).T
    assert pixels(spans, view).T.tolist() == [[0, 2], [10, 20], [40, 90]]
    assert pixels(spans[:, :0], view).shape == (2, 0)
    dense = np.stack((np.arange(100_000) * 10, np.arange(100_000) * 10 + 5))
    assert pixels(dense, Viewport(0, 20_000, 50, False)).shape[1] == 1


@pytest.mark.parametrize("seed", range(5))
def test_overlaps_are_where_two_lanes_speak(seed):
    rng, events = np.random.default_rng(seed), []
    plain = np.zeros((3, 2_000), int)
    for i in range(3):
        at = int(rng.integers(50))
        while at < 1_900:
            end = min(at + int(rng.integers(1, 120)), 1_990)
            events.append(turn(f"S{i}", at, end, end, True))
            plain[i, at:end] = 1
            at = end + int(rng.integers(5, 90))
    lanes = Lanes()
    lanes.update(reduce_all(State(), events))
    found = np.zeros(2_000, bool)
    for start, end in overlaps(lanes.all, Viewport(0, 2, 1_000, False)).T:
        found[start:end] = True
    np.testing.assert_array_equal(found, plain.sum(axis=0) >= 2)


@pytest.mark.parametrize("n", [0, 1, 3, 8, 20])
@pytest.mark.parametrize("height", [240, 430, 1_100])
def test_rows_fill_the_height_in_order_and_never_overlap(n, height):
    rows = Rows(900, height, n)
    order = [rows.wave, rows.spectrogram, rows.strip, rows.lanes, rows.overview]
    for (top, length), (below, _) in pairwise(order):
        assert length >= 0 and top + length <= below
    assert rows.overview == (height - OVERVIEW, OVERVIEW)
    for i in range(n):
        assert rows.lane_at(rows.lane_top(i) + 1) == i
        if n <= 8 or height > 400:
            assert rows.lane_top(i) + rows.lane <= rows.overview[0]
    assert rows.lane_at(rows.lanes[0] - 1) is None


def test_procrustes_finds_the_turn_back(rng):
    points, turn_by = rng.standard_normal((50, 2)), 0.7
    turned = points @ np.array([[np.cos(turn_by), -np.sin(turn_by)], [np.sin(turn_by), np.cos(turn_by)]])
    np.testing.assert_allclose(turned @ procrustes(turned, points), points, atol=1e-9)
    mirrored = points * (1, -1)
    np.testing.assert_allclose(mirrored @ procrustes(mirrored, points), points, atol=1e-9)


def test_points_stay_put_while_the_map_learns(rng):
    centres = rng.standard_normal((3, 40)) * 3
    vectors = centres[rng.integers(3, size=4_000)] + rng.standard_normal((4_000, 40))
    found, moved = StableMap(), []
    assert not found.ready
    found.learn(vectors[:7])
    assert not found.ready, "too few"
    before = None
    for n in range(8, 4_000, 97):
        found.learn(vectors[:n])
        now = found.points(vectors[:8])
        if before is not None:
            moved.append(np.abs(now - before).max())
        before = now
    spread = np.ptp(found.points(vectors), axis=0).max()
    assert np.median(moved) == 0, "most of the time nothing is fitted"
    assert np.max(moved[3:]) < 0.25 * spread, "and never does a point jump across the map"


def test_the_needle_goes_from_left_to_right():
    assert angle(-10) > angle(0) == 90 > angle(10)
    assert angle(-99) == angle(-10) and angle(99) == angle(10)


def test_two_hours_fit_into_little_memory():
    history = SoundHistory()
    history.hear(Sound(samples(600), np.zeros(16_000, np.float32)))
    kept = sum(
        level.view().nbytes
        for pyramid in (history._low, history._high, history._columns)
        for level in pyramid.levels
    )
    assert kept < 3e6, "ten minutes"
