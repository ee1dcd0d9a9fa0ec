"""Text as literals of Snowflake."""

from __future__ import annotations


def quote(text: str) -> str:
    """A text as a literal. A backslash escapes there, unlike in DuckDB, so that a quote after one would end it early.

    Source: docs.snowflake.com/en/sql-reference/data-types-text, "Escape sequences in single-quoted string constants".
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
