"""Sound files of any container and codec, made by PyAV."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile as sf

CODECS = {  # name of the file, codec, rate
    "aac.m4a": ("aac", 16_000),
    "alac.m4a": ("alac", 16_000),
    "adts.aac": ("aac", 16_000),
    "opus.webm": ("libopus", 48_000),
    "opus.mkv": ("libopus", 48_000),
    "aac.mp4": ("aac", 44_100),
    "pcm.mov": ("pcm_s16le", 16_000),
    "aac.3gp": ("aac", 16_000),
    "wma.wma": ("wmav2", 44_100),
    "ac3.ac3": ("ac3", 32_000),
    "flac.mka": ("flac", 16_000),
    "amr.amr": ("libopencore_amrnb", 8_000),
    "mp3.mp3": ("libmp3lame", 16_000),
    "opus.opus": ("libopus", 48_000),
    "flac.flac": ("flac", 16_000),
}
BITS_PER_S = {"libopencore_amrnb": 12_200, "libmp3lame": 24_000}
LANGUAGES = ("eng", "deu", "fra")
CODECS_OF_THIS_MACHINE = [name for name, (codec, _) in CODECS.items() if codec in av.codecs_available]


def write(path: Path, *tracks: np.ndarray, codec: str, rate: int) -> Path:
    """A file of one or more mono tracks float32 (n,) at `rate`."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream(codec, rate=rate, layout="mono") for _ in tracks]
        for stream in streams:
            stream.bit_rate = BITS_PER_S.get(codec, 64_000)
        for stream, language in zip(streams, LANGUAGES, strict=False):
            stream.metadata["language"] = language
        for stream, track in zip(streams, tracks, strict=True):
            for frame in _frames(track, rate, stream):
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def write_kind(folder: Path, name: str, sound: np.ndarray) -> Path:
    """One of `CODECS`, or vorbis.ogg, with sound float32 (n,) at 16 kHz."""
    import soxr

    if name == "vorbis.ogg":  # PyAV brings no encoder of it
        sf.write(folder / name, sound, 16_000, format="OGG", subtype="VORBIS")
        return folder / name
    codec, rate = CODECS[name]
    return write(folder / name, soxr.resample(sound, 16_000, rate), codec=codec, rate=rate)


def _frames(track: np.ndarray, rate: int, stream: av.AudioStream) -> list[av.AudioFrame]:
    samples = np.clip(32_767 * track, -32_768, 32_767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    context = stream.codec_context
    resampler = av.AudioResampler(context.format.name, "mono", rate, context.frame_size or 1024)
    return [*resampler.resample(frame), *resampler.resample(None)]
