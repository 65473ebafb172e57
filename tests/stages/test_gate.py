"""What is no voice makes no speaker and no turn, and nothing else of a window changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.stages.conversation import SCALE, VOICES, conversation, embedding
from voicelane.config import DiariserConfig, ReclusteringConfig
from voicelane.stages.diariser import Diariser
from voicelane.stages.gate import VoiceGate
from voicelane.stages.segmenter import Window

NOISE = 3
"""The voice of `conversation` that is taken for a noise."""
TELLING = replace(SCALE, voice=np.append(-20.0 * VOICES[NOISE], 5.0))


def turns(said, gate: VoiceGate):
    diariser = Diariser(DiariserConfig(), ReclusteringConfig(), TELLING)
    events = diariser.process(gate.process(conversation(said))) + diariser.flush()
    return [e for e in events if type(e).__name__ == "SpeakerTurn" and e.final]


def test_a_noise_alone_is_nobody():
    said = [(NOISE, 1.0, 6.0)]
    assert turns(said, VoiceGate(SCALE, -1.0))
    assert not turns(said, VoiceGate(TELLING, -1.0))


def test_people_keep_their_turns_beside_a_noise():
    gate = VoiceGate(TELLING, -1.0)
    with_noise = turns([(0, 1.0, 6.0), (NOISE, 7.0, 11.0), (1, 12.0, 18.0)], gate)
    assert {t.speaker for t in with_noise} == {"S1", "S2"}
    within = [t for t in with_noise if 16_000 * 7.5 < (t.start + t.end) / 2 < 16_000 * 10.5]
    assert not within


@pytest.mark.parametrize("gate", [VoiceGate(SCALE, -1.0), VoiceGate(TELLING, -1.0)])
def test_windows_of_voices_pass_as_they_are(gate):
    items = conversation([(0, 1.0, 6.0), (1, 5.0, 9.0), (2, 10.0, 12.0)])
    assert gate.process(items) == items


def test_a_noise_goes_even_where_a_voice_borders_on_it():
    window = next(i for i in conversation([(0, 1.0, 9.0)]) if isinstance(i, Window) and i.pieces)
    voice = window.pieces[0]
    noise = replace(voice, start=voice.end, end=voice.end + 6_400, heard=embedding(VOICES[NOISE], 0.0, 1.0))
    (out,) = VoiceGate(TELLING, -1.0).process([replace(window, pieces=(voice, noise))])
    assert out.pieces == (voice,)


def test_the_glitch_between_two_noises_goes_with_them_and_a_person_who_overlaps_stays():
    window = next(i for i in conversation([(NOISE, 1.0, 9.0)]) if isinstance(i, Window) and i.pieces)
    piece = window.pieces[0]
    short = replace(piece, start=piece.end, end=piece.end + 3_200, heard=None, n_frames=0)
    (out,) = VoiceGate(TELLING, -1.0).process([replace(window, pieces=(piece, short))])
    assert out.pieces == ()
    first = (piece.start - window.start) // 320
    assert not out.people[first : first + 10].any()
