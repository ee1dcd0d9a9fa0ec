"""Drafts for a source that nobody described yet: what lies there, what its columns look like, and what only a person knows."""
