"""Protocols of others, spoken by the server or beside it."""
