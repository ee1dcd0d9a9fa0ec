"""Commands of `regulars`, one module per group; `flows/__main__.py` puts them together."""
