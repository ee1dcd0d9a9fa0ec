"""Movers: systems that move rows by themselves, from wherever they are to a place that Regulars then lands from."""
