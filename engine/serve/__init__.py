"""Voicelane for other programs: live sound over WebSockets, files over HTTP; needs `voicelane[serve]`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
