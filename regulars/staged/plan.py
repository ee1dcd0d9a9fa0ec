"""What landing a table by way of a stage would read."""

from __future__ import annotations

from datetime import date
from typing import Any

from regulars.contracts import Contract
from regulars.settings import Settings
from regulars.sources import reader_for
from regulars.sources.base import make_request
from regulars.sources.config import Sources
from regulars.staged.listing import list_files, open_stage
from regulars.staged.refusals import check_possible, format_of_all
from regulars.staged.storage_errors import plain_storage_errors
from regulars.warehouse.snowflake_session import SnowflakeSessions


def plan_staged(contract: Contract, sources: Sources, settings: Settings, as_of: date) -> list[dict[str, Any]]:
    """Files with bytes and etag, as Snowflake lists them; nothing is read, and the stage ends with the session."""
    request = make_request(contract, sources, settings, as_of)
    check_possible(request)
    with SnowflakeSessions(settings.snowflake, None) as session, plain_storage_errors(request):
        files = list_files(request, open_stage(request, session), session)
    format_of_all(request, [file.name for file in files])
    window = None if reader_for(request.connection.kind).is_dated(request) else request.window
    return [
        {
            "table": request.table,
            "from": request.source.connection,
            "via": request.source.via,
            **file.pinned(),
            "where": request.source.where,
            "window": [moment.isoformat() for moment in window] if window else None,
        }
        for file in files
    ]
