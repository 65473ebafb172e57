"""voicelane: who is speaking, while they speak.

The public API. Importing it opens no device, starts no thread and loads no model.
"""

from engine.archive import export_profiles, import_profiles
from engine.audio.framer import Framer
from engine.audio.resampler import Resampler
from engine.audio.ring import Ring
from engine.audio.sources import (
    PORTAUDIO,
    ArraySource,
    FileSource,
    MicrophoneSource,
    connected_devices,
    input_devices,
    reopen_microphone,
)
from engine.calibration import (
    Calibration,
    Evidence,
    find_calibration,
    load_calibration,
    s_norm,
    score_features,
)
from engine.config import (
    DiariserConfig,
    EncoderConfig,
    EnhancerConfig,
    PipelineConfig,
    ReclusteringConfig,
    SegmentationConfig,
    VadConfig,
    read_config,
)
from engine.dsp import ddim
from engine.dsp.fbank import KaldiFbank, kaldi_fbank
from engine.dsp.features import N_MELS, FeatureExtractor, Features, RunningMean
from engine.dsp.stft import Istft, Stft
from engine.embedding import FileEmbedder
from engine.enrolment import Enroller, Enrolment, in_space, keep_recording, known_people, record
from engine.errors import (
    AudioError,
    ConfigError,
    DeviceError,
    LockedError,
    ModelError,
    StoreError,
    VoicelaneError,
)
from engine.events import (
    DeviceLost,
    DeviceOverflow,
    DeviceReturned,
    EnhancerFellBack,
    Event,
    EventsDropped,
    InvalidSamples,
    ListeningPaused,
    ListeningResumed,
    Overrun,
    Redone,
    SinkFailed,
    SoundDropped,
    SpeakerIdentified,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerSplit,
    SpeakerTurn,
    SpeechEnded,
    SpeechStarted,
    StageTiming,
    StreamStarted,
    TurnAssigned,
    TurnRevised,
    Undone,
    Verification,
    VoiceMeasured,
    event_from_dict,
)
from engine.exports import TEXT_FORMATS, write_speakers
from engine.home import home_folder
from engine.inference.manifest import Manifest, verify
from engine.inference.onnx import Model, find_model, installed, models_folder
from engine.label_desk import LabelDesk
from engine.latency import LatencySink
from engine.live import LiveSession
from engine.outbox import Sink, Sound
from engine.people import Person
from engine.pipeline import Pipeline
from engine.profile import Profile, Recording, Space
from engine.recording import Recorder, session_folder
from engine.relabelling import Relabelling
from engine.scoring import (
    DiarisationError,
    Turn,
    calibration_cost,
    diarisation_error,
    equal_error_rate,
    error_curve,
    minimum_calibration_cost,
    minimum_detection_cost,
)
from engine.sessions import (
    Session,
    correct_session,
    open_session,
    relabel_session,
    remove_session,
    session_names,
)
from engine.settings import build_settings, read_settings
from engine.sinks import JsonLinesSink, QueueSink, RttmSink, final_turns, read_rttm, rttm_line
from engine.stages.encoder import SpeakerEncoder, load_encoder
from engine.stages.enhancer import Enhancer, find_enhancer, load_enhancer
from engine.stages.frontend import encoder_columns
from engine.stages.vad import Decisions, Vad, VadEvidence, VadInput
from engine.stages.verifier import LiveVerifier, Verifier
from engine.store import ProfileStore
from engine.timebase import FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE, samples, seconds
from engine.vault import given_passphrase

__all__ = [
    "FRAME_SAMPLES",
    "HOP_SAMPLES",
    "N_MELS",
    "PORTAUDIO",
    "SAMPLE_RATE",
    "TEXT_FORMATS",
    "ArraySource",
    "AudioError",
    "Calibration",
    "ConfigError",
    "Decisions",
    "DeviceError",
    "DeviceLost",
    "DeviceOverflow",
    "DeviceReturned",
    "DiarisationError",
    "DiariserConfig",
    "EncoderConfig",
    "Enhancer",
    "EnhancerConfig",
    "EnhancerFellBack",
    "Enroller",
    "Enrolment",
    "Event",
    "EventsDropped",
    "Evidence",
    "FeatureExtractor",
    "Features",
    "FileEmbedder",
    "FileSource",
    "Framer",
    "InvalidSamples",
    "Istft",
    "JsonLinesSink",
    "KaldiFbank",
    "LabelDesk",
    "LatencySink",
    "ListeningPaused",
    "ListeningResumed",
    "LiveSession",
    "LiveVerifier",
    "LockedError",
    "Manifest",
    "MicrophoneSource",
    "Model",
    "ModelError",
    "Overrun",
    "Person",
    "Pipeline",
    "PipelineConfig",
    "Profile",
    "ProfileStore",
    "QueueSink",
    "ReclusteringConfig",
    "Recorder",
    "Recording",
    "Redone",
    "Relabelling",
    "Resampler",
    "Ring",
    "RttmSink",
    "RunningMean",
    "SegmentationConfig",
    "Session",
    "Sink",
    "SinkFailed",
    "Sound",
    "SoundDropped",
    "Space",
    "SpeakerEncoder",
    "SpeakerIdentified",
    "SpeakerRenamed",
    "SpeakerSplit",
    "SpeakerTurn",
    "SpeakersMerged",
    "SpeechEnded",
    "SpeechStarted",
    "StageTiming",
    "Stft",
    "StoreError",
    "StreamStarted",
    "Turn",
    "TurnAssigned",
    "TurnRevised",
    "Undone",
    "Vad",
    "VadConfig",
    "VadEvidence",
    "VadInput",
    "Verification",
    "Verifier",
    "VoiceMeasured",
    "VoicelaneError",
    "build_settings",
    "calibration_cost",
    "connected_devices",
    "correct_session",
    "ddim",
    "diarisation_error",
    "encoder_columns",
    "equal_error_rate",
    "error_curve",
    "event_from_dict",
    "export_profiles",
    "final_turns",
    "find_calibration",
    "find_enhancer",
    "find_model",
    "given_passphrase",
    "home_folder",
    "import_profiles",
    "in_space",
    "input_devices",
    "installed",
    "kaldi_fbank",
    "keep_recording",
    "known_people",
    "load_calibration",
    "load_encoder",
    "load_enhancer",
    "minimum_calibration_cost",
    "minimum_detection_cost",
    "models_folder",
    "open_session",
    "read_config",
    "read_rttm",
    "read_settings",
    "record",
    "relabel_session",
    "remove_session",
    "reopen_microphone",
    "rttm_line",
    "s_norm",
    "samples",
    "score_features",
    "seconds",
    "session_folder",
    "session_names",
    "verify",
    "write_speakers",
]
