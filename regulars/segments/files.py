"""The files of a delivery, made by the engine in a spool: full list, who entered, who left."""

from __future__ import annotations

import hashlib
import shutil

from regulars.segments import selection
from regulars.segments.config import MEMBER, Format
from regulars.segments.job import Job
from regulars.segments.manifest import DeliveredFile, DeliveryManifest, Role
from regulars.segments.selection import Selection


def export_full(job: Job, asked: Selection, known: DeliveryManifest | None) -> list[DeliveredFile] | None:
    """The full list in every format, or None where `known`, a revision of the same day, says the same.

    Equal bytes in one format are equal rows, so the formats that follow are not made to find that out.
    """
    same_terms = (job.segment.definition_hash, tuple(asked.types.items()))
    comparable = known if known and (known.definition_hash, known.columns) == same_terms else None
    files = []
    for kind in job.segment.delivery.formats:
        made = _export(job, "full", kind, selection.full_sql(asked.types, kind == "csv", job.sql))
        before = comparable.file("full", kind) if comparable else None
        if before and before.sha256 == made.sha256:
            return None
        files.append(made)
    return files


def export_changes(job: Job, asked: Selection, full: list[DeliveredFile]) -> list[DeliveredFile]:
    """Who entered and who left since the previous delivery; without one, everybody entered and nobody left."""
    if asked.has_previous:
        job.engine.execute(selection.left_sql(asked))
        entered = [
            _export(
                job,
                "entered",
                file.format,
                selection.full_sql(asked.types, file.format == "csv", job.sql, only_entered=True),
            )
            for file in full
        ]
    else:
        entered = [_copy_as_entered(job, file) for file in full]
    left = [
        _export(
            job,
            "left",
            kind,
            selection.left_rows_sql(kind == "csv", job.sql)
            if asked.has_previous
            else selection.nobody_left_sql(job.sql),
        )
        for kind in job.segment.delivery.formats
    ]
    return [*entered, *left]


def _copy_as_entered(job: Job, file: DeliveredFile) -> DeliveredFile:
    name = f"entered.{file.format}"
    shutil.copyfile(job.spool / file.name, job.spool / name)
    return file.model_copy(update={"name": name, "role": "entered"})


def _export(job: Job, role: Role, kind: Format, query: str) -> DeliveredFile:
    path = job.spool / f"{role}.{kind}"
    rows = job.engine.export(query, path, kind)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    cells = _neutralised_cells(job, role) if kind == "csv" and rows else 0
    size = path.stat().st_size
    return DeliveredFile(
        name=path.name, role=role, format=kind, rows=rows, bytes=size, sha256=digest, cells_neutralised=cells
    )


def _neutralised_cells(job: Job, role: Role) -> int:
    if role == "left":
        query = f"select count(*) from {selection.LEFT} where {job.sql.is_formula(MEMBER)}"
    else:
        entered = " and is_entered" if role == "entered" else ""
        query = f"select cast(sum(formula_cells) as bigint) from {selection.MEMBERS} where withheld is null{entered}"
    ((cells,),) = job.engine.query(query)
    return int(cells)
