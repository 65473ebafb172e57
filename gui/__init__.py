"""The desktop app: it draws what the engine says and never keeps the engine waiting."""
