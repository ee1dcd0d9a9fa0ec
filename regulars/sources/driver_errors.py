"""What PostgreSQL and its drivers say, as our errors: with a remedy, without addresses, values or passwords."""

from __future__ import annotations

import re

from regulars.errors import RegularsError, SourceError, TransientError

# What may be repeated of an error: names of things and types. Anything else that a database says may quote a value.
REPEATED = re.compile(
    r"(relation|column|schema|function|operator|type|database|extension|view|table) [\w\".,() ]+ does not exist|"
    r"permission denied for \w+ [\w\".]+|column reference \"\w+\" is ambiguous|syntax error|"
    r"cannot execute [\w() ]+ in a read-only transaction|invalid input syntax for type [\w ]+|"
    r"invalid input value for enum \w+|[\w ]*out of range|division by zero"
)


def rewritten(place: str, text: str) -> RegularsError:
    """The error for what PostgreSQL or its driver said in `text` about `place`."""
    lower = text.lower()
    first, fatal = _repeated(text, "ERROR:"), _repeated(text, "FATAL:")
    if text.startswith("Out of Memory"):
        return SourceError(f"{place}: landing needs more memory", remedy="raise REGULARS_LANDING_MEMORY_LIMIT")
    if "statement timeout" in lower or "canceling statement" in lower:
        return TransientError(
            f"{place}: the statement timeout passed",
            remedy="raise statement_timeout_seconds, or add an index on the cursor",
        )
    if (
        "password authentication" in lower
        or "no password supplied" in lower
        or ("role" in lower and "does not exist" in lower)
    ):
        return SourceError(
            f"{place}: the server refused the login", remedy="check user and password of the connection's url"
        )
    if "snapshot" in lower and "does not exist" in lower:
        return TransientError(f"{place}: the shared snapshot has ended", remedy="run again")
    if "permission denied" in lower:
        return SourceError(
            f"{place}: {first or 'permission denied'}", remedy="grant select on it to the user of this connection"
        )
    if "does not exist" in lower:
        what = first or fatal or "something the query names does not exist"
        return SourceError(
            f"{place}: {what}", remedy="correct table, columns or query in sources.yml, or create it in the source"
        )
    connection_lost = (
        "unable to connect",
        "connection",
        "could not translate",
        "failed to resolve",
        "name or service not known",
        "terminating",
        "server closed",
        "timeout",
        "too many clients",
    )
    if any(mark in lower for mark in connection_lost) and "ERROR:" not in text:
        return TransientError(
            f"{place}: the server cannot be reached or broke off",
            remedy="check that it runs and is reachable, then run again",
        )
    if any(
        mark in lower
        for mark in ("deadlock", "serialization", "recovery", "starting up", "shutting down", "administrator command")
    ):
        return TransientError(f"{place}: {first or 'the server broke off'}", remedy="run again")
    return SourceError(
        f"{place}: {first or 'the server refused the query'}",
        remedy="correct the table's entry in sources.yml; the database's own log has the whole message",
    )


def _repeated(text: str, mark: str) -> str:
    """The part of the line after `mark` that holds no value, if any."""
    line = next((line.split(mark)[-1].strip() for line in text.splitlines() if mark in line), "")
    match = REPEATED.search(re.sub(r'"[^"]*" is out of range', "out of range", line))
    return match[0].strip() if match else ""
