"""Compiled inner loops as pure functions; each has a plain numpy twin in tests/test_kernels.py.

Mel bands are stored sparse: band m weighs the bins first[m] … first[m + 1] of `bins` by `weights`.
"""

from __future__ import annotations

import math

import numba
import numpy as np

_TWO_PI = 2.0 * math.pi


@numba.njit(cache=True, nogil=True)
def wrap(angle: float) -> float:
    """`angle` in radians brought into [−π, π]."""
    return angle - _TWO_PI * round(angle / _TWO_PI)


@numba.njit(cache=True, nogil=True)
def log_mel(spectra, first, bins, weights, scale, floor, out):
    """out[t, m] = ln(scale · Σ_k weights_mk |X_t[k]|² + floor)."""
    for t in range(spectra.shape[0]):
        for m in range(out.shape[1]):
            energy = 0.0
            for i in range(first[m], first[m + 1]):
                x = spectra[t, bins[i]]
                energy += weights[i] * (x.real * x.real + x.imag * x.imag)
            out[t, m] = math.log(scale * energy + floor)


@numba.njit(cache=True, nogil=True)
def frequency_deviation(spectra, previous, advance, first, bins, weights, out):
    """Instantaneous-frequency deviation per mel band, in radians a hop.

    Per bin δ_k = wrap(arg X_t[k] − arg X_{t−1}[k] − advance·k); a band is the mean of its bins
    weighted by weights_mk · |X_t[k]|, and 0 where the band is silent.
    """
    n_bins = spectra.shape[1]
    deviation, magnitude = np.empty(n_bins), np.empty(n_bins)
    for t in range(spectra.shape[0]):
        for k in range(n_bins):
            x, before = spectra[t, k], previous[k] if t == 0 else spectra[t - 1, k]
            turn = math.atan2(x.imag, x.real) - math.atan2(before.imag, before.real)
            deviation[k] = wrap(turn - advance * k)
            magnitude[k] = abs(x)
        _band_means(deviation, magnitude, first, bins, weights, out[t])


@numba.njit(cache=True, nogil=True)
def delay_deviation(spectra, slope, first, bins, weights, out):
    """Group-delay deviation per mel band, in radians a bin.

    Per bin δ_k = wrap(−(arg X_t[k+1] − arg X_t[k]) − slope), where `slope` is the delay of the
    window's centre; a band is weighted as in `frequency_deviation`.
    """
    n_bins = spectra.shape[1]
    deviation, magnitude = np.zeros(n_bins), np.empty(n_bins)
    for t in range(spectra.shape[0]):
        angle = math.atan2(spectra[t, 0].imag, spectra[t, 0].real)
        for k in range(n_bins):
            magnitude[k] = abs(spectra[t, k])
            if k + 1 < n_bins:
                above = math.atan2(spectra[t, k + 1].imag, spectra[t, k + 1].real)
                deviation[k] = wrap(angle - above - slope)
                angle = above
        _band_means(deviation, magnitude, first, bins, weights, out[t])


@numba.njit(cache=True, nogil=True)
def _band_means(values, magnitude, first, bins, weights, out):
    for m in range(len(out)):
        total, mass = 0.0, 0.0
        for i in range(first[m], first[m + 1]):
            w = weights[i] * magnitude[bins[i]]
            total += w * values[bins[i]]
            mass += w
        out[m] = total / mass if mass > 1e-12 else 0.0


@numba.njit(cache=True, nogil=True)
def running_mean(frames, n_mels, depth, longest, shape, levels, heard, out):
    """Subtract the running mean of everything so far, its level and its shape over the bands apart.

    `levels` are the averages of the loudness ln(mean_m e^x) and of the mean log band, over the first
    `n_mels` bands; bands more than `depth` below the loudness are raised to there. `heard` counts the
    columns behind the shape and behind the levels. Updates the three in place:
    levels += (l_t − levels) / min(n, longest); x'_t = max(x_t, loudness − depth) − level;
    shape += (x'_t − shape) / min(n, longest); out_t = x'_t − shape.
    """
    for t in range(frames.shape[0]):
        heard += 1
        at_levels, at_shape = 1.0 / min(heard[1], longest), 1.0 / min(heard[0], longest)
        top, power = frames[t, :n_mels].max(), 0.0
        for m in range(n_mels):
            power += math.exp(frames[t, m] - top)
        levels[0] += (top + math.log(power / n_mels) - levels[0]) * at_levels
        floor, mean = levels[0] - depth, 0.0
        for m in range(n_mels):
            mean += max(frames[t, m], floor) / n_mels
        levels[1] += (mean - levels[1]) * at_levels
        for m in range(frames.shape[1]):
            x = max(frames[t, m], floor) - levels[1] if m < n_mels else frames[t, m]
            shape[m] += (x - shape[m]) * at_shape
            out[t, m] = x - shape[m]


@numba.njit(cache=True, nogil=True)
def minimum_floor(bands, smoothing, block_frames, dead, smooth, minima, position, out):
    """Noise floor per band by minimum statistics (Martin 2001), without bias compensation.

    `smooth` follows the log bands exponentially; `minima` (n_blocks, n_bands) is a ring of its minimum
    over consecutive blocks of `block_frames`; the floor is the least of them. `position` counts the
    frames heard. Frames with every band at or below `dead` (digital silence) change nothing.
    Updates `smooth` and `minima` in place and returns the new position.
    """
    n_blocks, n_bands = minima.shape
    for t in range(bands.shape[0]):
        if bands[t].max() > dead:
            block = (position // block_frames) % n_blocks
            for b in range(n_bands):
                if position == 0:
                    smooth[b] = bands[t, b]
                    minima[:, b] = smooth[b]
                smooth[b] = smoothing * smooth[b] + (1.0 - smoothing) * bands[t, b]
                if position % block_frames == 0:
                    minima[block, b] = smooth[b]
                minima[block, b] = min(minima[block, b], smooth[b])
            position += 1
        for b in range(n_bands):
            out[t, b] = minima[:, b].min()
    return position


@numba.njit(cache=True, nogil=True)
def falling_peak(level, fall, peak, out):
    """out[t] = the highest level so far, falling by `fall` a step; returns the last one."""
    for t in range(len(level)):
        peak = max(level[t], peak - fall)
        out[t] = peak
    return peak


@numba.njit(cache=True, nogil=True)
def forward_backward(log_p, prior, loop):
    """Posteriors of a hidden Markov model that stays with chance `loop` and else draws from `prior`.

    `log_p` (n, S) are log-likelihoods. Returns the posteriors (n, S), the re-estimated prior (S,) and the
    log-likelihood of the whole.
    """
    n, n_states = log_p.shape
    forward, backward = np.empty((n, n_states)), np.ones((n, n_states))
    p = np.empty((n, n_states))
    scale = np.empty(n)
    total = 0.0
    for t in range(n):
        top = log_p[t].max()
        p[t] = np.exp(log_p[t] - top)
        before = prior if t == 0 else loop * forward[t - 1] + (1.0 - loop) * prior
        forward[t] = before * p[t]
        scale[t] = forward[t].sum() + 1e-300
        forward[t] /= scale[t]
        total += np.log(scale[t]) + top
    starts = np.zeros(n_states)
    for t in range(n - 2, -1, -1):
        ahead = p[t + 1] * backward[t + 1] / scale[t + 1]
        backward[t] = loop * ahead + (1.0 - loop) * (prior * ahead).sum()
        starts += (1.0 - loop) * prior * ahead
    chance = forward * backward
    starts += chance[0]
    return chance, starts / starts.sum(), total
