"""What Snowflake says of S3, as errors of ours: throttled and cut off is transient, access is a matter of settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from regulars.errors import ConfigError, EngineError, TransientError
from regulars.sources.base import Request

MAY_HEAL = re.compile(
    r"slow ?down|reduce your request rate|throttl|service ?unavailable|internal ?error|timed? ?out|connection (was )?reset|"
    r"\b50[0234]\b|remote file .* was not found|files? (may|might) have been (deleted|changed)",
    re.IGNORECASE,
)
REFUSED = re.compile(
    r"access denied|forbidden|\b403\b|not authorized to (perform|access)|assum\w+ (the )?role", re.IGNORECASE
)


@contextmanager
def plain_storage_errors(request: Request) -> Iterator[None]:
    """Let an engine's error that speaks of S3 out of the body as what it means for the run."""
    try:
        yield
    except EngineError as error:
        found = _as_storage_error(request, error)
    else:
        return
    raise found from None


def _as_storage_error(request: Request, error: EngineError) -> EngineError | TransientError | ConfigError:
    text = f"table {request.table}, via: stage: {error.message}"
    if REFUSED.search(error.message):
        return ConfigError(
            text, remedy="let the role behind the storage integration list and read the files, and write the landing"
        )
    if MAY_HEAL.search(error.message):
        return TransientError(text, remedy="run again: nothing of it was landed")
    return EngineError(text, remedy=error.remedy)
