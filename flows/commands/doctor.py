"""`regulars doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands.account import show_findings
from regulars.doctor import examine
from regulars.settings import load_settings


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False) -> None:
    """Say what is missing before a run finds out: settings, places, versions, access, privileges."""
    from flows.commands.prefect_profile import use_local_prefect

    use_local_prefect()
    from tasks.blocks import resolve_block, with_blocks  # blocks need Prefect

    settings = load_settings()
    show_findings(examine(with_blocks(settings), resolve_block), as_json)
