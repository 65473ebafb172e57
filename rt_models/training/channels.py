"""Channels that speech passes on its way to a listener: bands, codecs, transcoding, clipping, gain, loss.

Each function takes and gives mono float32 at 16 kHz of one length, in time with its input; every random
choice comes from the Generator that is passed in. Codecs are FFmpeg's, through PyAV.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import soxr
from scipy.signal import butter, correlate, sosfilt

SAMPLE_RATE = 16_000
SEARCH_SAMPLES = 2_400
"""Codec delays of up to 150 ms are taken out."""
LOSS_BLOCK = 320


@dataclass(frozen=True)
class Codec:
    """An FFmpeg encoder with the container and the bit rates that it is drawn with."""

    encoder: str
    container: str
    rate: int
    """Sample rate in Hz that it is fed."""
    bit_rates: tuple[int, ...] = ()
    """Bits a second; empty where the encoder has none to choose."""
    options: tuple[tuple[str, str], ...] = ()
    sample_format: str = "s16"


WIDE = (
    Codec("libmp3lame", "mp3", 16_000, (8_000, 16_000, 24_000, 32_000), sample_format="s16p"),
    Codec("libopus", "ogg", 16_000, (6_000, 8_000, 12_000, 16_000, 24_000), (("application", "voip"),)),
    Codec("aac", "adts", 16_000, (16_000, 24_000, 32_000), sample_format="fltp"),
    Codec("sbc", "sbc", 16_000, (48_000, 62_000, 96_000)),
    Codec("libvorbis", "ogg", 16_000, (24_000, 32_000, 48_000), sample_format="fltp"),
    Codec("g722", "wav", 16_000),
    Codec("adpcm_ima_wav", "wav", 16_000, sample_format="s16p"),
)
NARROW = (
    Codec("pcm_mulaw", "wav", 8_000),
    Codec("pcm_alaw", "wav", 8_000),
    Codec("g726", "wav", 8_000, (16_000, 24_000, 32_000)),
    Codec("libopencore_amrnb", "amr", 8_000, (4_750, 5_900, 7_950, 12_200)),
    Codec("libopus", "ogg", 8_000, (6_000, 8_000), (("application", "voip"),)),
    Codec("libspeex", "ogg", 8_000, (8_000, 15_000)),
    Codec("libgsm", "gsm", 8_000),
    Codec("libmp3lame", "mp3", 8_000, (8_000, 16_000), sample_format="s16p"),
)


@dataclass(frozen=True)
class ChannelConfig:
    """How often each part of a channel strikes."""

    narrow: float = 0.35
    """Chance of a telephone-like 8 kHz codec; otherwise the codec is a wide one."""
    codec: float = 0.8
    twice: float = 0.2
    """Chance that a coded sound is coded once more."""
    low_pass: float = 0.4
    low_pass_hz: tuple[float, float] = (3_400.0, 7_500.0)
    high_pass: float = 0.3
    high_pass_hz: tuple[float, float] = (60.0, 400.0)
    clip: float = 0.1
    clip_over_db: tuple[float, float] = (3.0, 24.0)
    """How far the peak would go beyond what the channel can hold."""
    gain_control: float = 0.15
    loss: float = 0.1
    loss_share: tuple[float, float] = (0.01, 0.08)
    """Share of the 20 ms blocks that never arrive."""


class Channel:
    """Draws one channel after another."""

    def __init__(self, config: ChannelConfig | None = None) -> None:
        self.config = config or ChannelConfig()
        self._wide, self._narrow = usable(WIDE), usable(NARROW)

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The sound (n,) at the far end, as long and in time with it."""
        out = self._before(samples, rng)
        if rng.random() < self.config.codec:
            out = self._coded(out, rng)
            if rng.random() < self.config.twice:
                out = self._coded(out, rng)
        c = self.config
        return lose(out, rng.uniform(*c.loss_share), rng) if rng.random() < c.loss else out

    def _before(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        c, out = self.config, samples
        if rng.random() < c.high_pass:
            out = filtered(out, rng.uniform(*c.high_pass_hz), "highpass", int(rng.integers(1, 4)))
        if rng.random() < c.low_pass:
            out = filtered(out, rng.uniform(*c.low_pass_hz), "lowpass", int(rng.integers(2, 9)))
        if rng.random() < c.gain_control:
            out = level_out(out, rng.uniform(0.1, 1.0), rng.uniform(0.3, 0.9))
        return clip(out, rng.uniform(*c.clip_over_db)) if rng.random() < c.clip else out

    def _coded(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        codecs = self._narrow if rng.random() < self.config.narrow else self._wide
        codec = codecs[rng.integers(len(codecs))]
        return through(codec, samples, int(rng.choice(codec.bit_rates)) if codec.bit_rates else None)


def usable(codecs: tuple[Codec, ...]) -> list[Codec]:
    """Those that this build of FFmpeg has an encoder for."""
    return [c for c in codecs if c.encoder in av.codecs_available]


def through(codec: Codec, samples: np.ndarray, bit_rate: int | None = None) -> np.ndarray:
    """Through a codec and back; the peak is kept under full scale on the way, the delay is taken out."""
    peak = max(1.0, float(np.abs(samples).max(initial=0.0)) * 1.05)
    coded = encode(codec, soxr.resample(samples / peak, SAMPLE_RATE, codec.rate), bit_rate)
    decoded, rate = decode(coded, {"adts": "aac"}.get(codec.container, codec.container))
    return aligned(soxr.resample(decoded, rate, SAMPLE_RATE) * np.float32(peak), samples)


def encode(codec: Codec, samples: np.ndarray, bit_rate: int | None) -> bytes:
    """The coded file of float32 (n,) at the codec's rate."""
    stored = io.BytesIO()
    with av.open(stored, "w", format=codec.container) as container:
        stream = container.add_stream(codec.encoder, rate=codec.rate, options=dict(codec.options))
        assert isinstance(stream, av.AudioStream)
        stream.layout, stream.format = "mono", codec.sample_format
        if bit_rate:
            stream.bit_rate = bit_rate
        convert = av.AudioResampler(codec.sample_format, "mono", codec.rate, _frame_size(stream))
        frame = av.AudioFrame.from_ndarray(_pcm(samples)[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = codec.rate, 0, Fraction(1, codec.rate)
        for piece in (*convert.resample(frame), *convert.resample(None), None):
            container.mux(stream.encode(piece))
    return stored.getvalue()


def _frame_size(stream: av.AudioStream) -> int | None:
    stream.codec_context.open(strict=False)
    return stream.codec_context.frame_size or None


def decode(coded: bytes, container: str) -> tuple[np.ndarray, int]:
    """float32 (n,) and its rate in Hz."""
    with av.open(io.BytesIO(coded), "r", format=container) as source:
        convert = av.AudioResampler("flt", "mono")
        pieces = [p for frame in source.decode(audio=0) for p in convert.resample(frame)]
        rate = source.streams.audio[0].rate or SAMPLE_RATE  # none where nothing was coded
    found = [p.to_ndarray()[0] for p in pieces] or [np.zeros(1, np.float32)]
    return np.concatenate(found), rate


def aligned(samples: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Moved to where it fits `like` best and cut or padded to its length."""
    size = min(len(samples), len(like))
    scores = correlate(samples[:size], like[:size], "full", "fft")
    middle = size - 1
    near = np.abs(scores[max(0, middle - SEARCH_SAMPLES) : middle + SEARCH_SAMPLES + 1])
    delay = int(near.argmax()) - min(middle, SEARCH_SAMPLES)
    moved = samples[delay:] if delay >= 0 else np.pad(samples, (-delay, 0))
    return np.pad(moved, (0, max(0, len(like) - len(moved))))[: len(like)].astype(np.float32)


def filtered(samples: np.ndarray, cutoff_hz: float, kind: str, order: int) -> np.ndarray:
    """Through a Butterworth low-pass or high-pass."""
    return sosfilt(butter(order, cutoff_hz, kind, fs=SAMPLE_RATE, output="sos"), samples).astype(np.float32)


def clip(samples: np.ndarray, over_db: float) -> np.ndarray:
    """Cut off `over_db` below the peak."""
    limit = float(np.abs(samples).max(initial=0.0)) * 10 ** (-over_db / 20)
    return samples.clip(-limit, limit) if limit else samples


def level_out(samples: np.ndarray, window_s: float, strength: float) -> np.ndarray:
    """Automatic gain: the level over about `window_s` is evened out by the power `strength`."""
    rate = 1.0 / (window_s * SAMPLE_RATE)
    level = np.sqrt(sosfilt([[rate, 0, 0, 1, rate - 1, 0]], np.square(samples, dtype=np.float64)) + 1e-7)
    gain = (level / level.max()) ** -strength
    return (samples * gain / np.median(gain)).astype(np.float32)


def lose(samples: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Blocks of 20 ms that never arrive, in bursts: silence, or the one before at half its level."""
    out, repeat = samples.copy(), rng.random() < 0.5
    for block in np.flatnonzero(rng.random(len(samples) // LOSS_BLOCK) < share / 2):
        for start in range(block * LOSS_BLOCK, (block + int(rng.integers(1, 4))) * LOSS_BLOCK, LOSS_BLOCK):
            before = out[max(0, start - LOSS_BLOCK) : start]
            kept = len(out[start : start + LOSS_BLOCK])
            out[start : start + kept] = 0.5 * np.resize(before, kept) if repeat and len(before) else 0.0
    return out


def _pcm(samples: np.ndarray) -> np.ndarray:
    return (samples.clip(-1, 1) * 32767).astype(np.int16)
