"""What the loudspeaker gets: spans, speed at the same pitch, one person alone, what is heard right now."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6")

from voicelane import ArraySource
from voicelane.base import Space
from voicelane.config import DenoiserConfig, EncoderConfig
from voicelane.events import VoiceMeasured
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.panels.playback import SPEEDS
from voicelane.gui.panels.timeline.menu import lane_menu
from voicelane.gui.panels.watch import SILENT_SAMPLES
from voicelane.gui.work.cleaned import Cleaned
from voicelane.gui.work.listening import DEMO, IDLE, MICROPHONE, PAUSED, RUNNING, Request
from voicelane.gui.work.playback import WINDOW, Playback, Spans, joined
from voicelane.live import Sound
from voicelane.profiles import FileEmbedder
from voicelane.stages import load_denoiser, load_encoder

pytestmark = pytest.mark.qt

TONE_HZ = 220.0
TONE = (0.5 * np.sin(2 * np.pi * TONE_HZ * np.arange(64_000) / 16_000)).astype(np.float32)
SPANS = [(1_000, 17_000), (32_000, 64_000)]


def played(playback: Playback, rate: int, block_s: float = 0.04) -> np.ndarray:
    blocks = []
    while not playback.over:
        blocks.append(playback.take(int(rate * block_s)))
        assert len(blocks) < 10_000
    return np.concatenate(blocks)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_spans_are_heard_one_after_the_other_at_any_rate(speech, rate):
    playback = Playback(lambda a, b: speech[a:b], Spans.of(SPANS), rate=rate)
    heard = played(playback, rate)
    said = np.concatenate([speech[a:b] for a, b in SPANS])
    at = np.arange(3 * rate) * 16_000 / rate
    whole = 3 * rate - rate // 8_000  # there is nothing to interpolate the very last to
    wanted = np.interp(at, np.arange(len(said)), said)
    np.testing.assert_allclose(heard[:whole], wanted[:whole], atol=1e-4)
    assert not heard[3 * rate + 1 :].any() and playback.sample == 64_000


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_at_any_speed_it_takes_its_time_and_keeps_its_pitch_and_level(speed, rate):
    heard = played(Playback(lambda a, b: TONE[a:b], Spans.of(SPANS), speed, rate), rate)
    assert len(heard) / rate == pytest.approx(3.0 / speed, abs=0.1)
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) * rate / len(heard) == pytest.approx(TONE_HZ, rel=0.01)
    middle = heard[rate // 10 : -rate // 5]
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.05) and middle.std() > 0.25, "nothing cancels"


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_place_goes_from_the_first_sample_to_the_last(speed):
    playback = Playback(lambda a, b: TONE[a:b], Spans.of([(1_000, 33_000)]), speed)
    places = [playback.sample]
    while not playback.over:
        playback.take(640)
        places.append(playback.sample)
    assert places[0] == 1_000 and places[-1] == 33_000 and places == sorted(places)
    steps = np.diff(places[1:-2])
    assert abs(steps.mean() - 640 * speed) < 20 and steps.max() <= 640 * speed + WINDOW * max(1, speed)


def test_spans_are_padded_joined_and_cut():
    spans = [(5_000, 6_000), (1_000, 2_000), (1_500, 4_000), (6_150, 7_000), (90_000, 91_000)]
    assert joined(spans, 100, 1_200, 90_500) == [(1_200, 4_100), (4_900, 7_100), (89_900, 90_500)]
    assert joined(spans, 0, 95_000, 99_000) == []


def test_a_cleaned_sound_is_what_the_denoiser_makes_of_it_however_it_is_read(speech):
    denoiser = load_denoiser(DenoiserConfig("clean"))
    wanted = np.concatenate((denoiser.process(speech[:64_000]), denoiser.flush()))
    cleaned = Cleaned(lambda a, b: speech[a : min(b, 64_000)])
    parts = [cleaned.read(at, at + 1_234) for at in range(0, 66_000, 1_234)]
    np.testing.assert_allclose(np.concatenate(parts), wanted, atol=1e-5)


def test_a_cleaned_sound_may_be_read_from_any_place_and_again(speech):
    """From elsewhere it is nearly the same, as the network heard a second before; a little back, exactly."""
    cleaned = Cleaned(lambda a, b: speech[a:b])
    whole = cleaned.read(0, 160_000)
    later = cleaned.read(100_000, 120_000)
    assert np.corrcoef(later, whole[100_000:120_000])[0, 1] > 0.98
    np.testing.assert_array_equal(cleaned.read(99_000, 119_000)[1_000:], later[:-1_000])


def test_it_is_heard_one_way_and_the_other_while_it_plays(talk, loudspeakers):
    studio = talk.studio
    studio.play()
    plain = heard(loudspeakers[-1])
    talk.transport.playback.clean.trigger()
    assert studio.preferences.now.play_clean and len(loudspeakers) == 2 and studio.player.playing
    cleaned = heard(loudspeakers[-1])
    size = min(len(plain), len(cleaned))
    assert size and not np.allclose(plain[:size], cleaned[:size], atol=1e-3)


def heard(loudspeaker) -> np.ndarray:
    loudspeaker.play(60)
    return np.concatenate(loudspeaker.heard)


def test_one_voice_alone_is_left_while_it_plays(talk, loudspeakers, enrolment_sound):
    """S1 is whoever speaks first; the menu turns it on and off."""
    studio, lanes = talk.studio, talk.studio.conversation.lanes.all
    studio.keep_voice("S1")
    assert "cannot be kept" in talk.toasts.words[-1] and studio.player.person is None
    vector = FileEmbedder().embed(ArraySource(next(iter(enrolment_sound.values()))))
    measured = [VoiceMeasured(at + 16_000, at, at + 16_000, {}, vector) for at in (4_000, 104_000)]
    studio.conversation.take([*measured, VoiceMeasured(60_000, 40_000, 60_000, {}, -vector)])
    studio.conversation.space = Space(load_encoder(EncoderConfig()).id, "off", "")
    studio.play()
    plain = heard(loudspeakers[-1])
    chosen(lane_menu(talk, studio, lanes[0], lambda _: None), "Only this voice")
    assert studio.voice == "S1" and studio.player.person.embeddings.shape == (2, 192)
    kept = heard(loudspeakers[-1])
    size = min(len(plain), len(kept))
    assert size and not np.allclose(plain[:size], kept[:size], atol=1e-3)
    chosen(lane_menu(talk, studio, lanes[0], lambda _: None), "All voices again")
    assert studio.voice == "" and studio.player.person is None


def chosen(menu, text: str) -> None:
    next(action for action in menu.actions() if action.text() == text).trigger()


def test_silence_is_left_out_and_one_person_is_played_alone(talk, loudspeakers, speech):
    """S1 speaks from 0 and from 100,000 on; nobody from 90,000 to 100,000."""
    studio = talk.studio
    studio.preferences.change(skip_silence=True)
    studio.conversation.cursor = 88_000
    studio.play()
    sound = heard(loudspeakers[-1])
    whole = np.concatenate((speech[88_000:92_400], speech[97_600:128_000]))
    np.testing.assert_allclose(sound[: len(whole)], whole[: len(sound)], atol=1e-4)
    studio.preferences.change(skip_silence=False)
    studio.hear_only("S2")
    studio.conversation.cursor = 0
    studio.play()
    sound = heard(loudspeakers[-1])
    np.testing.assert_allclose(sound[:34_800], speech[27_600:62_400], atol=1e-4)
    assert not sound[34_800:].any()
    studio.conversation.cursor = 100_000
    studio.play()
    assert "Nobody who could be heard" in talk.toasts.words[-1] and not studio.player.playing
    studio.hear_only("")


def test_speed_volume_and_loudspeaker_hold_at_once(talk, loudspeakers, speech):
    studio = talk.studio
    studio.play()
    studio.preferences.change(volume=0.25)
    loudspeakers[-1].play(4)
    np.testing.assert_allclose(loudspeakers[-1].heard[-1], 0.25 * speech[1_920:2_560], atol=1e-4)
    studio.preferences.change(playing_speed=2.0, output="Headphones")
    assert studio.player.playing and loudspeakers[-1].device == "Headphones"
    before = studio.player.place
    loudspeakers[-1].play(25)
    assert studio.player.place - before == pytest.approx(32_000, abs=2 * WINDOW)
    menu = talk.transport.playback
    menu.fill()
    assert [a.text() for a in menu.speeds.actions() if a.isChecked()] == ["2 ×"]
    next(a for a in menu.speeds.actions() if a.text() == "0.5 ×").trigger()
    assert studio.preferences.now.playing_speed == 0.5 == studio.player.speed
    assert [a.text() for a in menu.solo.actions()] == ["Everybody", "S1", "S2", "S3"]


def hears(talk, state: str, **choices: object) -> None:
    studio = talk.studio
    studio.preferences.change(**choices)
    studio.listening.request, studio.listening.state = Request(studio.preferences.now), state
    studio.listening.changed.emit()


def test_the_demo_is_audible_while_it_is_heard_and_a_microphone_never(talk, loudspeakers, speech):
    studio, conversation = talk.studio, talk.studio.conversation
    hears(talk, RUNNING, source=MICROPHONE)
    assert not studio.player.busy
    hears(talk, RUNNING, source=DEMO)
    assert studio.player.monitoring and not studio.player.playing
    conversation.sound.hear(Sound(128_000, speech[128_000:130_000]))
    loudspeakers[-1].play(4)
    sound = np.concatenate(loudspeakers[-1].heard)
    np.testing.assert_allclose(sound[:2_000], speech[128_000:130_000], atol=1e-4)
    assert not sound[2_000:].any() and studio.player.monitoring, "it waits for more"
    conversation.sound.hear(Sound(130_000, speech[130_000:130_640]))
    loudspeakers[-1].play(1)
    np.testing.assert_allclose(loudspeakers[-1].heard[-1], speech[130_000:130_640], atol=1e-4)
    hears(talk, PAUSED)
    assert not studio.player.busy
    hears(talk, RUNNING, audible=False)
    assert not studio.player.busy
    hears(talk, IDLE, audible=True)


def test_a_microphone_that_delivers_digital_silence_is_told_after_five_seconds(window):
    studio, conversation = window.studio, window.studio.conversation
    conversation.begin("mic", SoundHistory())
    studio.preferences.change(source=MICROPHONE, device="Blue Yeti")
    studio.listening.request, studio.listening.state = Request(studio.preferences.now), RUNNING
    studio.listening.changed.emit()

    def hear(n: int, level: float) -> str:
        conversation.sound.hear(Sound(conversation.sound.n_samples, np.full(n, level, np.float32)))
        window._watch.look()
        return window.banner.words.text() if window.banner.isVisible() else ""

    assert not hear(SILENT_SAMPLES - 1, 0.0)
    words = hear(1, 0.0)
    assert "Blue Yeti" in words and "digital silence" in words and "mute switch" in words
    assert not hear(160, 1e-3), "gone as soon as there is sound"
    assert not hear(SILENT_SAMPLES, 1e-4), "a quiet room is no fault"
    studio.listening.state = IDLE
    studio.listening.changed.emit()
