"""The tab in which mappings are reviewed, for `regulars mappings export --to-review` and `import --from-review`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import typer

from flows.commands.prefect_profile import named_block, with_named_blocks, with_named_store
from regulars.contracts import read_contracts
from regulars.own_addresses import with_own_addresses
from regulars.postgres.mapping_review import Decided
from regulars.postgres.review import show_review, take_over_review
from regulars.postgres.store import open_store
from regulars.settings import load_settings
from regulars.sheet_contracts import read_sheet_contracts
from regulars.sources.base import Request
from regulars.sources.config import read_sources
from regulars.sources.review_entry import place_of
from regulars.sources.review_tab import read_review, review_request


def show_in_tab(asked: Mapping[str, Any]) -> None:
    """Write mappings into the tab, and say what became of it."""
    with _store_and_tab() as (store, request):
        shown = show_review(store, request, at=datetime.now(UTC), **asked)
    done = shown.reviewed.decided
    if done.approved or done.rejected:
        typer.echo(f"taken over from there first: {done.approved} approved, {done.rejected} rejected")
    typer.echo(f"{shown.mappings} mappings in {place_of(request.source)}, {shown.cells} cells written")


def take_from_tab(by: str | None, unseen: bool) -> Decided:
    """Take over what people decided in the tab; rows that a later decision overrules are named."""
    with _store_and_tab() as (store, request):
        tab = read_review(request)
        reviewed = take_over_review(store, tab, by=by, at=datetime.now(UTC), unseen=unseen)
    for note in [tab.note] if tab.note else reviewed.overruled:
        typer.echo(note, err=True)
    return reviewed.decided


@contextmanager
def _store_and_tab() -> Iterator[tuple[psycopg.Connection[Any], Request]]:
    settings = with_named_store(with_named_blocks(load_settings()))
    sheets = read_sheet_contracts(settings)
    contracts, needed = read_contracts(settings.dbt_project_dir / "models" / "staging"), set(sheets)
    sources = read_sources(settings.sources_path, contracts, named_block, needed=needed, sheets=sheets)
    sources = with_own_addresses(sources, settings, needed)
    with open_store(settings) as store:
        yield store, review_request(sources, settings, datetime.now(UTC).date())
