"""voicelane: who is speaking, while they speak.

The public API; `__init__.pyi` lists it, and each room (`voicelane.audio`, …) lists its own.
Importing it opens no device, starts no thread and loads no model: a name is imported when it is first used.
"""

import lazy_loader

__version__ = "0.2.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
