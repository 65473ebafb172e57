"""Voices that belong to nobody, voices that are changed, speech from text, and the mark of what is not
real."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
