"""`regulars export`: what is published, as files for BI tools."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from flows.commands.console import print_table
from flows.commands.prefect_profile import with_named_blocks
from regulars.exports.export import FORMATS, Format, export
from regulars.settings import load_settings


def export_command(
    relations: Annotated[list[str], typer.Argument(help="Names of published relations, or `all`.")],
    to: Annotated[str, typer.Option("--to", help="Folder or s3:// URL.")],
    format: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}.")] = "parquet",
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Write published tables as typed files; the list of what was written is printed, and stands in manifest.json."""
    done = export(with_named_blocks(load_settings()), relations, to, cast(Format, format))
    if as_json:
        typer.echo(done.model_dump_json())
        return
    rows = [(file.relation, file.name, file.rows, file.bytes, file.cells_neutralised) for file in done.files]
    print_table(f"Written to {done.folder}", ["relation", "file", "rows", "bytes", "cells_neutralised"], rows)
