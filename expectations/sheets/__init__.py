"""Suites over sheets as the operational store took them in, and what their mapped values are waiting for."""
