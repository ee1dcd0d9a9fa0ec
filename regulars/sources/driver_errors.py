"""What PostgreSQL and its drivers say, as our errors: with a remedy, without addresses, values or passwords."""

from __future__ import annotations

from regulars.errors import RegularsError, SourceError, TransientError


def rewritten(place: str, text: str) -> RegularsError:
    """The error for what PostgreSQL or its driver said in `text` about `place`."""
    lower = text.lower()
    first = next((line.split("ERROR:")[-1].strip() for line in text.splitlines() if "ERROR:" in line), "")
    fatal = next((line.split("FATAL:")[-1].strip() for line in text.splitlines() if "FATAL:" in line), "")
    if "invalid input" in first or "out of range" in first:
        first = first.split(":")[0]  # what follows is a value
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
        f"{place}: {first or 'the server refused the query'}", remedy="correct the table's entry in sources.yml"
    )
