"""The desktop app; not built yet."""
