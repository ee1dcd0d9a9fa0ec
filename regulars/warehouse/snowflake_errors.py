"""What Snowflake says, as errors of ours: transient or final, without the values and secrets that it may quote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from snowflake.connector import errors

from regulars.engine_errors import without_values
from regulars.errors import ConfigError, EngineError, RegularsError, TransientError

# Numbers of errors, from the connector's `errorcode` module and Snowflake's error messages.
LOCKED = frozenset({625, 684})  # another transaction holds the row or table for longer than LOCK_TIMEOUT
MAY_HEAL = LOCKED | {
    604,  # cancelled: by a timeout, an administrator, or a resource monitor that suspends
    630,  # STATEMENT_TIMEOUT_IN_SECONDS
    200001,  # transaction aborted
    250002, 250003, 250005, 250006, 250007, 253001,  # connection closed, HTTP errors, unreachable account, timeouts
    261000, 290403, 290429, 290500, 290502, 290503, 290504,  # the service answers, and cannot now
    390112, 390114,  # session or token expired
}  # fmt: skip
LOGIN = frozenset({250001, 251001, 251005, 251007, 394304, *range(390100, 390500)})  # what may heal is asked for before
MISSING = frozenset({2003, 2043, 3001, 90105, 90106})  # not there, or no grant on it: Snowflake does not tell which
NO_WAREHOUSE = frozenset({606, 90064, 90073})
NO_ANSWER = ("failed to connect", "could not connect", "timed out", "connection reset", "max retries")


def as_regulars_error(error: Exception, step: str) -> RegularsError:
    """TransientError for what may heal, ConfigError for access and names, EngineError for the rest."""
    number = getattr(error, "errno", None) or -1
    said = without_values(getattr(error, "msg", None) or str(error))
    text = f"{step}: {said}"
    if number in LOCKED:
        return TransientError(text, remedy="wait for the other run, then run again")
    # The connector gives an address that does not answer and a refused login the same number.
    silent = any(word in said.lower() for word in NO_ANSWER)
    if number in MAY_HEAL or (silent and not isinstance(error, errors.ProgrammingError)):
        return TransientError(text, remedy="check the network and the account's status page, then run again")
    if number in LOGIN or isinstance(error, errors.ForbiddenError):
        return ConfigError(
            f"{step}: Snowflake refused the login (error {number})",
            remedy="check account, user, key or password, authenticator and role: REGULARS_SNOWFLAKE__* or its block",
        )
    if number in NO_WAREHOUSE:
        return ConfigError(text, remedy="set REGULARS_SNOWFLAKE__WAREHOUSE to one that the role may use, and resume it")
    if number in MISSING:
        return ConfigError(text, remedy="make it, or grant it to the role: docs/engines.md lists what the role needs")
    if isinstance(error, errors.InternalServerError | errors.ServiceUnavailableError | errors.GatewayTimeoutError):
        return TransientError(text, remedy="run again")
    return EngineError(text, remedy="correct what it names, then run again")


@contextmanager
def plain_snowflake_errors(step: str) -> Iterator[None]:
    """Let the connector's errors out of the body as ours, with nothing hanging on them."""
    try:
        try:
            yield
        except errors.Error as error:
            raise as_regulars_error(error, step) from None
        except (OSError, TimeoutError) as error:  # the connector lets some of its HTTP client's errors through
            raise TransientError(
                f"{step}: {type(error).__name__}", remedy="check the network, then run again"
            ) from None
    except RegularsError as error:
        error.__cause__ = error.__context__ = None  # what the service said may repeat what it was told
        raise
