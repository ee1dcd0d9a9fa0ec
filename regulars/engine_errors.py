"""What an engine says, without the values that it quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from regulars.errors import EngineError, RegularsError

# Kinds of error that speak of names, files and SQL only. Every other kind may quote a value of a row.
NAMING = {
    "Binder",
    "Catalog",
    "Parser",
    "IO",
    "Out of Memory",
    "Transaction",
    "TransactionContext",
    "HTTP",
    "Permission",
}
KIND = re.compile(r"\b(Out of Memory|(?:[A-Z][A-Za-z]+ )*?[A-Z][A-Za-z]+) Error: (.*)", re.DOTALL)
PLACE = re.compile(
    r"\b(unexpected end of data|\w+ [Dd]ecompression \w+|at byte \d+ in record/value \d+|[Ll]ine:? \d+|Malformed JSON|No magic bytes found)"
)
LOGIN = re.compile(r"\w+://\S*@\S*|\bpassword\s*=\s*\S+")
# Snowflake: number, SQL state, perhaps the query's identifier, text. Numbers from 100000 on speak of values.
SNOWFLAKE = re.compile(r"\b(\d{6}) \((\w{5})\): (?:[0-9a-f]{8}-[0-9a-f-]{27}: )?(.*)", re.DOTALL)
QUOTED = re.compile(r"'.*'")
NAMED = re.compile(r"'[A-Z_][A-Z0-9_$.]*'(?:[^']*'[A-Z_][A-Z0-9_$.]*')*")
COMPILED = re.compile(r"^\s*compiled code at .*$", re.MULTILINE)


def without_values(text: str) -> str:
    """The first line of an engine's message where it only names things, else its kind and place.

    Text that is no message of the engine stays as it is, but for the lines that follow.
    """
    if snowflake := SNOWFLAKE.search(text):
        return _snowflake(text[: snowflake.start()], *snowflake.groups())
    match = KIND.search(text)
    if match is None:
        return LOGIN.sub("...", text.strip().split("\n", 1)[0])
    kind, rest = match[1], match[2]
    before = text[: match.start()].strip()
    compiled = COMPILED.search(text)
    words = [f"{before}\n " if "\n" in text[: match.start()] else before, f"{kind} Error:"]
    if kind in NAMING:
        words.append(LOGIN.sub("...", rest.split("\n", 1)[0].strip()))
    else:
        places = ", ".join(found[0] for found in PLACE.finditer(rest))
        words += [f"{places};"] if places else []
        words.append("the message may quote a value and is not repeated")
    return " ".join(word for word in words if word) + (f"\n{compiled[0]}" if compiled else "")


def _snowflake(before: str, number: str, state: str, said: str) -> str:
    """Number and words, but for those of a value; a compilation error names things in quotes, and so may a value be."""
    head = f"{before.strip()} {number} ({state}):".strip()
    if number >= "100000":
        return f"{head} the message may quote a value and is not repeated"
    words = " ".join(line.strip() for line in said.split("\n")[:3])
    return f"{head} {LOGIN.sub('...', QUOTED.sub(_names_or_dots, words)).strip()}"


def _names_or_dots(quoted: re.Match[str]) -> str:
    """From the first quote to the last one: a value may hold quotes of its own, so all are names or nothing is repeated."""
    return quoted[0] if NAMED.fullmatch(quoted[0]) else "'...'"


@contextmanager
def plain_errors(step: str) -> Iterator[None]:
    """Let errors out of the body as ours, with nothing hanging on them: the words of a driver may quote a value.

    Raises EngineError in place of an engine's own error or the operating system's; a RegularsError loses its cause and context.
    """
    try:
        try:
            yield
        except duckdb.Error as error:
            raise EngineError(
                f"{step}: {without_values(str(error))}",
                remedy="free memory or disk where it says so, correct what it names, then run again",
            ) from None
        except OSError as error:  # of a file or folder: it names the place, and no value
            place = f": {error.filename}" if error.filename else ""
            raise EngineError(
                f"{step}: {error.strerror or type(error).__name__}{place}",
                remedy="free disk space, or correct what stands there and its rights, then run again",
            ) from None
    except RegularsError as error:
        error.__cause__ = error.__context__ = None
        raise
