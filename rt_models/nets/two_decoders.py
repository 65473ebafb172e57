"""Two decoders on one encoder: what was said, and its translation, each looking at what the other has written
(the dual decoder of Le et al. 2020, as the speech-to-speech plan has it)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from voicelane.rt_models.nets.seed import Sinusoids

BANDS = 64


@dataclass(frozen=True)
class TwoDecodersConfig:
    """Sizes of the network."""

    words: int = 20
    """Of both languages together; behind them come the beginning and the end of a sentence."""
    columns: int = 400
    """Of a mel picture."""
    places: int = 6
    """Words of the longest sentence, and its end."""
    width: int = 96
    heads: int = 4
    encoder_layers: int = 2
    decoder_layers: int = 2
    cross: bool = True
    """Whether each decoder looks at the states of the other."""
    dropout: float = 0.1

    @property
    def begin(self) -> int:
        """The token that a sentence begins with."""
        return self.words

    @property
    def end(self) -> int:
        """The token that it ends with."""
        return self.words + 1


class TwoDecoders(nn.Module):
    """Mel pictures (B, 64, columns) and tokens so far (B, places), as spoken and translated, each with the
    beginning before it → logits of the next at every place, (B, places, words + 2) twice."""

    def __init__(self, config: TwoDecodersConfig) -> None:
        super().__init__()
        self.config = c = config
        sizes = pairwise((BANDS, c.width, c.width, c.width))
        self.shorten = nn.Sequential(*(self._halving(a, b) for a, b in sizes))
        layer = nn.TransformerEncoderLayer(
            c.width, c.heads, 2 * c.width, c.dropout, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, c.encoder_layers, enable_nested_tensor=False)
        self.token = nn.Embedding(c.words + 2, c.width)
        self.which = nn.Embedding(2, c.width)
        self.layers = nn.ModuleList(nn.ModuleList(self._pair()) for _ in range(c.decoder_layers))
        self.aligned = nn.Linear(c.width, c.words + 1)
        """CTC's logits of the words as spoken, and of none: they teach the encoder where words are."""
        self.out = nn.ModuleList(nn.Linear(c.width, c.words + 2) for _ in range(2))
        at = torch.arange(max(c.places, c.columns // 8 + 1), dtype=torch.float32)
        self.register_buffer("at", Sinusoids(c.width)(at), persistent=False)
        later = torch.ones(c.places, c.places, dtype=torch.bool).triu(1)
        self.register_buffer("later", later, persistent=False)

    at: Tensor
    later: Tensor

    def forward(self, picture: Tensor, spoken: Tensor, translated: Tensor) -> tuple[Tensor, Tensor]:
        return self.decode(self.encode(picture), spoken, translated)

    def encode(self, picture: Tensor) -> Tensor:
        """What was heard, once for both decoders, (B, columns / 8, width)."""
        heard = self.shorten(picture).transpose(1, 2)
        return self.encoder(heard + self.at[: heard.shape[1]])

    def decode(self, heard: Tensor, spoken: Tensor, translated: Tensor) -> tuple[Tensor, Tensor]:
        """The logits of both decoders."""
        states = [
            self.token(told) + self.at[: told.shape[1]] + self.which.weight[k]
            for k, told in enumerate((spoken, translated))
        ]
        for pair in self.layers:
            assert isinstance(pair, nn.ModuleList)
            before = states[0], states[1]
            states = [own(before[k], before[1 - k], heard, self.later) for k, own in enumerate(pair)]
        return self.out[0](states[0]), self.out[1](states[1])

    def _pair(self) -> list[DecoderLayer]:
        c = self.config
        return [DecoderLayer(c.width, c.heads, c.dropout, c.cross) for _ in range(2)]

    @staticmethod
    def _halving(channels: int, wanted: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv1d(channels, wanted, 5, stride=2, padding=2), nn.GroupNorm(8, wanted), nn.GELU()
        )


class DecoderLayer(nn.Module):
    """Looks at its own past, at the past of the other decoder, and at what was heard, (B, n, C)."""

    def __init__(self, width: int, heads: int, dropout: float, cross: bool) -> None:
        super().__init__()

        def looking() -> nn.MultiheadAttention:
            return nn.MultiheadAttention(width, heads, dropout, batch_first=True)

        self.own, self.heard = looking(), looking()
        self.other = looking() if cross else None
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.think = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, other: Tensor, heard: Tensor, later: Tensor) -> Tensor:
        y = self.norms[0](x)
        x = x + self.own(y, y, y, attn_mask=later, need_weights=False)[0]
        if self.other is not None:
            y = self.norms[1](x)
            x = x + self.other(y, other, other, attn_mask=later, need_weights=False)[0]
        x = x + self.heard(self.norms[2](x), heard, heard, need_weights=False)[0]
        return x + self.think(self.norms[3](x))


@torch.no_grad()
def written(net: TwoDecoders, picture: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest tokens of both decoders, written word by word, int64 (B, places) twice."""
    places, begin = net.config.places, net.config.begin
    heard = net.encode(picture)
    told = [torch.full((len(picture), places + 1), begin) for _ in range(2)]
    for at in range(places):
        logits = net.decode(heard, told[0][:, :-1], told[1][:, :-1])
        for own, given in zip(told, logits, strict=True):
            own[:, at + 1] = given[:, at].argmax(dim=1)
    return told[0][:, 1:], told[1][:, 1:]
