"""Sound with less noise: complex spectra through a network and back, at 16 kHz or at any rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from voicelane.audio.framer import Framer
from voicelane.audio.resampler import Resampler, finite
from voicelane.base.errors import ModelError
from voicelane.base.stopwatch import Stopwatch
from voicelane.base.timebase import FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE
from voicelane.config import DenoiserConfig
from voicelane.dsp import kernels
from voicelane.dsp.delay import Delay
from voicelane.dsp.stft import FRONT_END, N_BINS, Istft, Stft, window
from voicelane.inference.manifest import Manifest
from voicelane.inference.onnx import Model, find_model
from voicelane.stages.keeper import Keeper, load_keeper
from voicelane.stages.recogniser import Person
from voicelane.stages.refiner import Refiner, load_refiner

CROSSOVER_HZ, SMOOTHING_S = 4_000, 0.02
"""What is done to the sound above 8 kHz follows the band above this one, over so long a time."""
LEAST_POWER = 1e-10
KNOWN_PEAK_DB, LEAST_PEAK_DB, PEAK_FALL_DB = -30.0, -75.0, 0.02
"""Level in dB of full scale that the loudest columns of a quiet stream are raised to, from where on, and by
how much a peak falls from column to column."""
BLOCK_FRAMES = 50


class Denoiser:
    """16 kHz mono float32 (n,) in, the same with less noise out, of the same length, in time with it.

    Samples come `latency_samples` later at most, the last ones with `flush`. What is no number is silence.
    """

    def __init__(
        self,
        model: Model,
        strength: float = 1.0,
        stopwatch: Stopwatch | None = None,
        refiner: Refiner | Keeper | None = None,
    ) -> None:
        """`strength` mixes what was heard (0) and what was cleaned (1); a `refiner`, or what keeps one voice,
        goes on from there."""
        _check(model.manifest)
        self._network, self._strength, self._refiner = model.stream(), np.float32(strength), refiner
        self._timed = stopwatch or Stopwatch()
        ahead = model.manifest.latency_samples // HOP_SAMPLES
        self._delay = Delay(ahead, np.zeros((N_BINS, 2), np.float32))
        self._gain_delay = Delay(ahead + (refiner.ahead if refiner else 0), np.ones((1, 1), np.float32))
        self._framer, self._stft, self._istft, self._lift = Framer(), Stft(), Istft(), _Lift()
        self._behind = self._gain_delay.rows * HOP_SAMPLES + self._istft.latency_samples
        self.latency_samples = self._framer.latency_samples + self._behind
        self.reset()

    def reset(self) -> None:
        for stage in (self._framer, self._stft, self._istft, self._network, self._lift):
            stage.reset()
        for late in (self._delay, self._gain_delay):
            late.reset()
        if self._refiner:
            self._refiner.reset()
        self._early = self._behind  # samples before the first one, still to come out
        self._heard = np.zeros(0, np.float32)

    def process(self, samples: np.ndarray) -> np.ndarray:
        samples = finite(samples)[0]
        self._heard = np.concatenate((self._heard, samples))
        return self._mixed(self._cleaned(self._framer.process(samples)))

    def flush(self) -> np.ndarray:
        n_silent = -(-self._behind // FRAME_SAMPLES)
        late = np.concatenate((self._framer.flush(), np.zeros((n_silent, FRAME_SAMPLES), np.float32)))
        rest = self._mixed(self._cleaned(late)[: len(self._heard)])
        self.reset()
        return rest

    def _cleaned(self, frames: np.ndarray) -> np.ndarray:
        """What the frames (n, 320) complete, from the first sample of the stream on."""
        blocks = [frames[i : i + BLOCK_FRAMES] for i in range(0, len(frames), BLOCK_FRAMES)]
        out = np.concatenate([np.zeros(0, np.float32), *map(self._resynthesised, blocks)])
        early = min(self._early, len(out))
        self._early -= early
        return out[early:]

    def _resynthesised(self, frames: np.ndarray) -> np.ndarray:
        with self._timed("denoiser"):
            noisy = as_pairs(self._stft.process(frames))
            gains = self._lift.process(noisy)
            clean = self._denoised(gains * noisy)
            return self._istft.process(as_complex(clean / self._gain_delay.process(gains)))

    def _denoised(self, lifted: np.ndarray) -> np.ndarray:
        """Columns (n, 257, 2) of some columns ago."""
        (clean,) = self._network.run(spectra=lifted[None])
        if self._refiner is None:
            return clean[0]
        return self._refiner.process(self._delay.process(lifted), clean[0])

    def _mixed(self, clean: np.ndarray) -> np.ndarray:
        """With the sound of the same moments, which need not wait any more."""
        heard, self._heard = self._heard[: len(clean)], self._heard[len(clean) :]
        return heard + self._strength * (clean - heard)


class _Lift:
    """Gains (n, 1, 1) that raise a quiet stream to a level that the network knows, by its loudest columns so
    far; 1 for others."""

    def __init__(self) -> None:
        self._scale_db = 10 * np.log10(float(np.sum(window() ** 2)))
        self.reset()

    def reset(self) -> None:
        self._peak_db = LEAST_PEAK_DB

    def process(self, columns: np.ndarray) -> np.ndarray:
        """Of columns float32 (n, 257, 2)."""
        power = np.square(columns, dtype=np.float64).sum(-1).mean(-1)
        level_db, peak_db = 10 * np.log10(power + 1e-20) - self._scale_db, np.empty(len(columns))
        self._peak_db = kernels.falling_peak(level_db, PEAK_FALL_DB, self._peak_db, peak_db)
        lift_db = np.clip(KNOWN_PEAK_DB - peak_db, 0.0, KNOWN_PEAK_DB - LEAST_PEAK_DB)
        return (10 ** (lift_db / 20)).astype(np.float32)[:, None, None]


def as_pairs(columns: np.ndarray) -> np.ndarray:
    """Real and imaginary parts, float32 (n, 257, 2)."""
    return np.ascontiguousarray(columns, np.complex64).view(np.float32).reshape(-1, N_BINS, 2)


def as_complex(pairs: np.ndarray) -> np.ndarray:
    """complex64 (n, 257)."""
    return np.ascontiguousarray(pairs, np.float32).view(np.complex64)[..., 0]


def load_denoiser(
    config: DenoiserConfig, stopwatch: Stopwatch | None = None, person: Person | None = None
) -> Denoiser | None:
    """The denoiser that the settings name, None for `off`; with a person, that voice alone is left, without
    steps of diffusion. Raises `ModelError`."""
    if config.model == "off":
        return None
    model = Model(find_model(config.model, "cleaner"))
    if person is not None:
        keeper = load_keeper(config.keeper, person, config.guidance, model)
        return Denoiser(model, config.strength, stopwatch, keeper)
    refiner = load_refiner(config.refiner, config.steps, model)
    return Denoiser(model, config.strength, stopwatch, refiner)


def _check(manifest: Manifest) -> None:
    trained_on = manifest.settings.get("front_end")
    if trained_on != FRONT_END:
        raise ModelError(
            f"{manifest.name}: was trained on other spectra ({trained_on or 'it does not say which'}), the "
            f"engine's are {FRONT_END}; train it anew with `python -m voicelane.rt_models.training clean`"
        )


class FullBandDenoiser:
    """Blocks float32 (n, channels) at `rate` in, as many samples with less noise out, in time with them.

    Each channel is cleaned by itself, by a `Denoiser` of its own; with a `person`, of everybody else as well.
    As with the `Resampler`, the delay is taken off.
    """

    latency_samples = 0

    def __init__(
        self, config: DenoiserConfig, rate: int, n_channels: int, person: Person | None = None
    ) -> None:
        denoisers = [load_denoiser(config, person=person) for _ in range(n_channels)]
        self._channels = [_Channel(rate, d) for d in denoisers if d is not None]

    def reset(self) -> None:
        for channel in self._channels:
            channel.reset()

    def process(self, block: np.ndarray) -> np.ndarray:
        """(m, channels) that the block completes."""
        return np.stack([c.process(x) for c, x in zip(self._channels, block.T, strict=True)], axis=1)

    def flush(self) -> np.ndarray:
        return np.stack([channel.flush() for channel in self._channels], axis=1)


class _Channel:
    """One channel at its own rate: what the denoiser takes off at 16 kHz is taken off there, and what lies
    above 8 kHz is made softer as the band below it was."""

    def __init__(self, rate: int, denoiser: Denoiser) -> None:
        self._rate, self._denoiser = rate, denoiser
        self._down, self._highs = Resampler(rate), _Highs()
        self.reset()

    def reset(self) -> None:
        for stage in (self._down, self._denoiser, self._highs):
            stage.reset()
        self._up = _upsampler(self._rate)
        self._low, self._heard = np.zeros(0, np.float32), np.zeros(0, np.float32)

    def process(self, samples: np.ndarray) -> np.ndarray:
        samples = finite(np.ascontiguousarray(samples))[0]
        self._heard = np.concatenate((self._heard, samples))
        low = self._down.process(samples[:, None])
        self._low = np.concatenate((self._low, low))
        return self._without(self._taken_off(self._denoiser.process(low)))

    def flush(self) -> np.ndarray:
        low = self._down.flush()
        self._low = np.concatenate((self._low, low))
        clean = np.concatenate((self._denoiser.process(low), self._denoiser.flush()))
        taken = self._taken_off(clean, last=True)[: len(self._heard)]
        padding = np.zeros((len(self._heard) - len(taken), 3), np.float32)
        rest = self._without(np.concatenate((taken, padding)))
        self.reset()
        return rest

    def _taken_off(self, clean: np.ndarray, last: bool = False) -> np.ndarray:
        """At the channel's rate (m, 3): what was taken off, what was heard below 8 kHz, and how much of the
        rest goes."""
        low, self._low = self._low[: len(clean)], self._low[len(clean) :]
        found = np.stack((low - clean, low, self._highs.process(low, clean)), axis=1).astype(np.float32)
        return found if self._up is None else self._up.resample_chunk(found, last=last)

    def _without(self, taken: np.ndarray) -> np.ndarray:
        heard, self._heard = self._heard[: len(taken)], self._heard[len(taken) :]
        high = heard - taken[:, 1] if self._rate > SAMPLE_RATE else np.float32(0.0)
        return (heard - taken[:, 0] - taken[:, 2] * high).astype(np.float32)


class _Highs:
    """By how much the band of 4 … 8 kHz became softer: 0 nothing, 1 all of it."""

    def __init__(self) -> None:
        self._filter = butter(4, CROSSOVER_HZ, "highpass", fs=SAMPLE_RATE, output="sos")
        self._decay = float(np.exp(-1.0 / (SMOOTHING_S * SAMPLE_RATE)))
        self.reset()

    def reset(self) -> None:
        self._state = np.zeros((2, len(self._filter), 2))
        self._power = np.zeros((2, 1))

    def process(self, heard: np.ndarray, clean: np.ndarray) -> np.ndarray:
        """Of each sample (n,) of the sound before and after."""
        before, after = (self._powers(k, x) for k, x in enumerate((heard, clean)))
        kept = np.sqrt((after + LEAST_POWER) / (before + LEAST_POWER))
        return 1.0 - np.minimum(kept, 1.0)

    def _powers(self, k: int, sound: np.ndarray) -> Any:
        if not len(sound):
            return np.zeros(0)
        high, self._state[k] = sosfilt(self._filter, sound, zi=self._state[k])
        smooth, self._power[k] = lfilter([1 - self._decay], [1, -self._decay], high**2, zi=self._power[k])
        return smooth


def _upsampler(rate: int) -> Any:
    """From 16 kHz to a rate, three channels at once; None where that is 16 kHz."""
    if rate == SAMPLE_RATE:
        return None
    import soxr

    return soxr.ResampleStream(SAMPLE_RATE, rate, 3, dtype="float32", quality="HQ")
