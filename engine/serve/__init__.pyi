from .run import serve as serve
from .settings import ServeSettings as ServeSettings
from .tokens import Tokens as Tokens
