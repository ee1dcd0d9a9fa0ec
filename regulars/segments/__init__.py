"""Segments: who is in them, and what of it is handed to a team as files."""
