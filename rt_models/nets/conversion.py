"""The network that says in one voice what was said in another: spectral envelopes in, envelopes out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voicelane.rt_models.nets.voices import zero

STEP_FRAMES = 2
"""Frames of 5 ms that are taken, and given, together."""


@dataclass(frozen=True)
class ConversionConfig:
    """Sizes of the network."""

    bands: int = 64
    dim: int = 192
    """Of a voice."""
    width: int = 128
    content: int = 32
    """Numbers in 10 ms that what is said must pass through."""
    condition: int = 96
    """Numbers that a voice is told by."""
    listening: tuple[int, ...] = (1, 1, 1)
    speaking: tuple[int, ...] = (1, 1, 2, 1, 1)
    """Steps between the three that a layer before, or behind, the content looks at."""
    dropout: float = 0.1
    """Of a voice's numbers, in training."""

    @property
    def around_frames(self) -> int:
        """Frames heard before and behind the ones that are given."""
        return STEP_FRAMES * (sum(self.listening) + sum(self.speaking))


class ConversionNet(nn.Module):
    """bands (B, T + 2 · around, 64), pitch (B, T + 2 · around, 2), voice (B, 192) → the shape of the envelope
    in that voice (B, T, 64), nepers around each frame's mean; T is even.

    `bands` are deviations from what is usual of the speaker; `pitch` is that of the result: octaves over
    160 Hz and 1, or zeros where nothing is voiced.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: ConversionConfig) -> None:
        super().__init__()
        self.config = c = config
        self.register_buffer("mean", torch.zeros(c.bands))
        self.register_buffer("deviation", torch.ones(c.bands))
        self.hear = nn.Linear(STEP_FRAMES * c.bands, c.width)
        self.listening = nn.ModuleList([Layer(c.width, apart) for apart in c.listening])
        self.narrow = nn.Sequential(nn.LayerNorm(c.width), nn.Linear(c.width, c.content))
        self.widen = nn.Linear(c.content + STEP_FRAMES * 2, c.width)
        self.voice = nn.Sequential(
            nn.Dropout(c.dropout),
            nn.Linear(c.dim, c.condition),
            nn.SiLU(),
            nn.Linear(c.condition, c.condition),
        )
        self.speaking = nn.ModuleList([Layer(c.width, apart, c.condition) for apart in c.speaking])
        self.say = nn.Sequential(nn.LayerNorm(c.width), nn.Linear(c.width, STEP_FRAMES * c.bands))

    def forward(self, bands: Tensor, pitch: Tensor, voice: Tensor) -> Tensor:
        return self.spoken(self.content(bands), pitch, voice)

    def spoken(self, content: Tensor, pitch: Tensor, voice: Tensor) -> Tensor:
        """The shape (B, T, 64) that says a content in a voice."""
        known = self.voice(voice * self.config.dim**0.5)
        x = self.widen(torch.cat((content, self._inner(_steps(pitch))), dim=-1))
        for layer in self.speaking:
            x = layer(x, known)
        shape = self.say(x).unflatten(2, (STEP_FRAMES, self.config.bands)).flatten(1, 2)
        return shape * self.deviation + self.mean

    def content(self, bands: Tensor) -> Tensor:
        """What is said (B, T / 2 + steps, 32), without the speaker."""
        x = self.hear(_steps(bands))
        for layer in self.listening:
            x = layer(x)
        return torch.tanh(self.narrow(x))

    def _inner(self, steps: Tensor) -> Tensor:
        edge = sum(self.config.listening)
        return steps[:, edge : steps.shape[1] - edge]


class Layer(nn.Module):
    """x (B, T, C) → x + f(x) without `apart` steps at both ends; a voice (B, K) scales and moves what it
    sees."""

    def __init__(self, width: int, apart: int, told: int = 0) -> None:
        super().__init__()
        self.apart = apart
        self.normal = nn.LayerNorm(width)
        self.told = zero(nn.Linear(told, 2 * width)) if told else None
        self.around = nn.Conv1d(width, width, 3, dilation=apart)
        self.out = zero(nn.Linear(width, width))

    def forward(self, x: Tensor, known: Tensor | None = None) -> Tensor:
        seen = self.normal(x)
        if self.told is not None and known is not None:
            scale, shift = self.told(known)[:, None].chunk(2, dim=-1)
            seen = seen * (1 + scale) + shift
        found = self.around(seen.transpose(1, 2)).transpose(1, 2)
        inner = x[:, self.apart : x.shape[1] - self.apart]
        return inner + self.out(F.silu(found))


def _steps(frames: Tensor) -> Tensor:
    """(B, T, K) → (B, T / 2, 2 · K)."""
    return frames.reshape(frames.shape[0], -1, STEP_FRAMES * frames.shape[2])
