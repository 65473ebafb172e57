"""Who said what: recognised words, given to the speakers whose turns they are spoken in."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
