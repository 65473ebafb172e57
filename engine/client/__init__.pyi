from .connection import AsyncClient as AsyncClient
from .connection import AsyncStream as AsyncStream
from .connection import Client as Client
from .connection import ServerError as ServerError
from .connection import Stream as Stream
