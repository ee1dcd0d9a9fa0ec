"""Regulars: engagement, loyalty, support and click data in one warehouse, with history, checks and deliveries."""

__version__ = "0.1.0"
