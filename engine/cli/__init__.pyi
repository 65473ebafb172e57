from .options import add_command as add_command
