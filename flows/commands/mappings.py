"""`regulars mappings`: what words and numbers of a sheet mean, reviewed by people."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.console import print_table
from flows.commands.prefect_profile import with_named_store
from regulars.cleansing.decisions import NULL, STATUSES
from regulars.errors import ConfigError
from regulars.postgres.mapping_review import Decided
from regulars.settings import load_settings

app = typer.Typer(no_args_is_help=True, help=__doc__)

Column = Annotated[str | None, typer.Option(help="Column of the raw table.")]
Raw = Annotated[str | None, typer.Option(help="Raw value, exactly as it is listed.")]
By = Annotated[str | None, typer.Option(help="Who decides; the login name without.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Status = Annotated[str | None, typer.Option(help="Only approved, proposed or rejected ones.")]
Waiting = Annotated[bool, typer.Option("--waiting", help="Only those whose rows wait in quarantine.")]

SHOWN = ("column", "raw", "meaning", "status", "confidence", "rule", "seen_count", "is_usable", "decided_by")
NEXT = "the next `regulars run customer-engagement` takes it into account"


@app.command("list")
def list_command(
    column: Column = None,
    status: Status = None,
    waiting: Waiting = False,
    limit: Annotated[int, typer.Option(help="Mappings at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List mappings by column and raw value: what is approved, proposed with which confidence, and rejected."""
    from regulars.postgres.mapping_review import list_mappings

    with _store() as connection:
        rows = list_mappings(connection, column=column, status=_known(status), waiting=waiting, limit=limit)
    if as_json:
        typer.echo(
            json.dumps([{name: _plain(name, value) for name, value in row.items()} for row in rows], ensure_ascii=False)
        )
        return
    shown = [{**row, "meaning": _meaning(row)} for row in rows]
    print_table(f"{len(rows)} mappings", SHOWN, [[row[name] for name in SHOWN] for row in shown])


@app.command("approve")
def approve_command(
    column: Column = None,
    raw: Raw = None,
    meaning: Annotated[
        str | None, typer.Option("--as", help="Another canonical word or number than is proposed, or (null).")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every proposal, with --min-confidence.")] = False,
    min_confidence: Annotated[float | None, typer.Option(min=0, max=1, help="Least confidence of --all.")] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Approve a proposal, or what you say instead; an approved mapping may be approved otherwise later."""
    from regulars.postgres.mapping_review import approve, approve_all

    if everything == (raw is not None) or everything != (min_confidence is not None):
        raise ConfigError(
            "say which: --column C --raw R, or --all --min-confidence X", remedy="`regulars mappings list` shows them"
        )
    with _store() as connection:
        if everything:
            least = Decimal(str(min_confidence))
            done = approve_all(connection, least, column=column, by=_who(by), at=datetime.now(UTC))
        else:
            done = approve(connection, *_one(column, raw), value=meaning, by=_who(by), at=datetime.now(UTC))
    _say(done, as_json)


@app.command("reject")
def reject_command(column: Column = None, raw: Raw = None, by: By = None, as_json: Json = False) -> None:
    """Reject a proposal: rows with this value wait in quarantine, whatever is proposed for it."""
    from regulars.postgres.mapping_review import reject

    with _store() as connection:
        done = reject(connection, *_one(column, raw), by=_who(by), at=datetime.now(UTC))
    _say(done, as_json)


@app.command("export")
def export_command(
    file: Annotated[Path | None, typer.Argument(help="CSV file to write.")] = None,
    column: Column = None,
    status: Status = None,
    waiting: Waiting = False,
    to_review: Annotated[bool, typer.Option("--to-review", help="Into the tab `review` of sources.yml.")] = False,
) -> None:
    """Write mappings to a CSV file or into the tab for review; edit `status` and the meaning, and import it (a tab is
    read by every run)."""
    from regulars.cleansing.decision_files import write_csv
    from regulars.postgres.mapping_review import export_mappings

    asked: dict[str, Any] = {"column": column, "status": _known(status), "waiting": waiting}
    if (file is None) != to_review:
        raise ConfigError("name a file, or --to-review, and not both")
    if file is None:
        from flows.commands.mapping_tab import show_in_tab

        show_in_tab(asked)
        return
    with _store() as connection:
        records = export_mappings(connection, **asked)
        count = write_csv(file, records)
    typer.echo(f"{count} mappings in {file}")


@app.command("import")
def import_command(
    file: Annotated[
        Path | None, typer.Argument(help="CSV file with column, raw, status and canonical or number.")
    ] = None,
    from_review: Annotated[bool, typer.Option("--from-review", help="The tab `review` of sources.yml, now.")] = False,
    unseen: Annotated[bool, typer.Option("--unseen", help="Also values that no sheet has had yet.")] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Take over the decisions of a CSV file or of the tab, all or none; lines whose status is `proposed` decide nothing."""
    from regulars.cleansing.decision_files import read_csv
    from regulars.postgres.mapping_review import import_decisions

    if (file is None) != from_review:
        raise ConfigError("name a file, or --from-review, and not both")
    if file is None:
        from flows.commands.mapping_tab import take_from_tab

        _say(take_from_tab(by, unseen), as_json)
        return
    records = read_csv(file)
    with _store() as connection:
        done = import_decisions(connection, records, str(file), by=_who(by), at=datetime.now(UTC), unseen=unseen)
    _say(done, as_json)


@contextmanager
def _store() -> Iterator[Any]:
    from regulars.postgres.store import open_store

    with open_store(with_named_store(load_settings())) as connection:
        yield connection


def _one(column: str | None, raw: str | None) -> tuple[str, str]:
    if column is None or raw is None:
        raise ConfigError("--column and --raw are needed", remedy="`regulars mappings list` shows them")
    return column, raw


def _known(status: str | None) -> str | None:
    if status is not None and status not in STATUSES:
        raise ConfigError(f"--status {status!r} is none of {', '.join(STATUSES)}")
    return status


def _who(by: str | None) -> str:
    return by or getpass.getuser()


def _say(done: Decided, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(done)))
        return
    typer.echo(f"{done.approved} approved, {done.rejected} rejected, {done.unchanged} unchanged")
    if done.approved or done.rejected:
        typer.echo(NEXT)


def _meaning(row: Mapping[str, Any]) -> str:
    value = row.get("canonical", row.get("number"))
    return str(_plain("number", value)) if value is not None else NULL if row["is_usable"] else ""


def _plain(name: str, value: Any) -> Any:
    """JSON's own types; an exact number is text, because a number of JSON is read as a float."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f") if name == "number" else float(value)
    return value
