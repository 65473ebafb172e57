"""The errors that a user of the engine can meet; each message names the thing and says what to do."""


class VoicelaneError(Exception):
    """Base of every error that voicelane raises on purpose: a sentence, and what only helps at a command
    line."""

    def __init__(self, sentence: str = "", command: str = "") -> None:
        """`command` goes on where `sentence` ends, with a command or switch; the app leaves it out."""
        super().__init__(*filter(None, (sentence, command)))
        self.plain = sentence

    def __str__(self) -> str:
        return "".join(self.args)


class ConfigError(VoicelaneError):
    """A setting is unknown, of the wrong type or out of range."""


class AudioError(VoicelaneError):
    """Sound could not be read, or holds values that are not sound."""


class DeviceError(AudioError):
    """A microphone is missing, unusable or was lost."""


class ModelError(VoicelaneError):
    """A model folder is missing, damaged, or does not fit the engine."""


class StoreError(VoicelaneError):
    """A profile, the database of profiles or a recorded session is missing, damaged or too new."""


class LockedError(StoreError):
    """The profiles are encrypted, and the passphrase is wrong or was not given."""
