"""The typed rows of a landing inside Snowflake: made once, counted, compared, and written to the landing by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from regulars.errors import EngineError
from regulars.manifest import Manifest, Part
from regulars.parts import Draft
from regulars.sources.base import Request
from regulars.staged.listing import Session
from regulars.staged.text_tables import scratch
from regulars.warehouse.snowflake_tables import LANDING, REJECTS, name
from regulars.warehouse.snowflake_text import quote

FILE_BYTES = 250_000_000  # of an unloaded file: Snowflake's documents advise 100 to 250 MB for loading
GOOD = "rule is null and copy_number = 1"


class TypedTable:
    """file_name, record, t0 ... (the contract's columns, typed), rule, reason, raw and which copy of a row each is."""

    def __init__(self, request: Request, session: Session) -> None:
        self.contract = request.contract
        self._session = session
        self._table = scratch(request.table, "typed")
        self._broken = scratch(request.table, "broken")

    @property
    def _columns(self) -> list[str]:
        return [f"t{n}" for n, _ in enumerate(self.contract.columns)]

    def make(self, selects: Sequence[str]) -> None:
        """Type the rows. An exact copy of a good row, where the contract drops those, has a number above 1."""
        number = "1"
        if self.contract.key and self.contract.duplicates == "drop":
            number = f"row_number() over (partition by rule, {', '.join(self._columns)} order by file_name, record)"
        rows = " union all ".join(selects)
        self._session.execute(
            f"create or replace transient table {self._table} as select *, {number} as copy_number from ({rows})"
        )
        self._session.execute(
            f"insert into {self._table} (file_name, record, rule, reason, raw, copy_number) "
            f"select file_name, record, rule, reason, raw, 1 from {self._broken}"
        )

    def check_files(self, names: Set[str]) -> None:
        """Raise EngineError where a row's file is not one of those that were listed."""
        found = {str(file) for (file,) in self._session.query(f"select distinct file_name from {self._table}")}
        if not found <= names:
            raise EngineError(
                f"table {self.contract.table}: Snowflake names {min(found - names)[:200]}, which is none of the files that it listed",
                remedy="tell us what stands there, and leave via out, so that a worker reads the files",
            )

    def count(self, draft: Draft, records: int) -> None:
        """Put rows by verdict into the draft; `records` were read, those that are not here a `where` left out."""
        ((rows, good, bad),) = self._session.query(
            f"select count(*), count(case when {GOOD} then 1 end), count(rule) from {self._table}"
        )
        draft.rows_duplicate = int(rows - good - bad)
        draft.rows_filtered = records - int(rows)
        by_rule = self._session.query(
            f"select rule, count(*) from {self._table} where rule is not null group by rule order by rule"
        )
        draft.rejects_by_rule = {str(rule): int(count) for rule, count in by_rule}
        draft.counted = (int(good), int(bad))

    def count_filled(self) -> dict[str, int]:
        """Values (not null) of each contract column that has any, among the good rows."""
        counts = ", ".join(f"count({column})" for column in self._columns)
        (row,) = self._session.query(f"select {counts} from {self._table} where {GOOD}")
        return {column.name: int(count) for column, count in zip(self.contract.columns, row, strict=True) if count}

    def keys_gone(self, before: list[Manifest]) -> float | None:
        """Share of the distinct keys of these batches in `raw` that the good rows lack."""
        place = {column.name: f"t{n}" for n, column in enumerate(self.contract.columns)}
        old = ", ".join(f"{name(key)} as k{n}" for n, key in enumerate(self.contract.key))
        new = ", ".join(f"{place[key]} as k{n}" for n, key in enumerate(self.contract.key))
        same = " and ".join(f"old.k{n} = new.k{n}" for n, _ in enumerate(self.contract.key))
        marks = ", ".join("?" for _ in before)
        ((rows, kept),) = self._session.query(
            f"with old as (select distinct {old} from raw.{name(self.contract.table)} where _as_of = ? and _batch_id in ({marks})), "
            f"new as (select distinct {new} from {self._table} where {GOOD}) "
            f"select (select count(*) from old), (select count(*) from old inner join new on {same})",
            [before[0].as_of, *(manifest.batch_id for manifest in before)],
        )
        return float((rows - kept) / rows) if rows else None

    def unload(self, folder: str, draft: Draft, source: str) -> None:
        """Write good rows and rejects as Parquet into a folder of the landing, and enter the files in the draft.

        Moments go as text: Parquet of Snowflake's may keep fewer digits of a second than they have.
        """
        good, bad = draft.rows_loaded, draft.rows_quarantined
        listed = [_unloaded(f"t{n}", column.name, column.data_type) for n, column in enumerate(self.contract.columns)]
        rows = f"select {', '.join(listed)}, record as {_as_written('_record_number')} from {self._table} where {GOOD}"
        draft.parts += self._write(folder, "part-", rows, source, good)
        values = {"source": "file_name", "record_number": "record", "byte_offset": "cast(null as bigint)"}
        kept = [column for column, _ in REJECTS if column not in ("batch_id", "table_name", "as_of")]
        rejects = ", ".join(f"{values.get(column, column)} as {_as_written(column)}" for column in kept)
        draft.rejects += self._write(
            folder, "rejects-", f"select {rejects} from {self._table} where rule is not null", source, bad
        )

    def _write(self, folder: str, prefix: str, select: str, source: str, rows: int) -> Iterable[Part]:
        if not rows:
            return []
        written = self._session.query(
            f"copy into {quote(f'@{LANDING}/{folder}/{prefix}')} from ({select}) FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE "
            f"MAX_FILE_SIZE = {FILE_BYTES} DETAILED_OUTPUT = TRUE"
        )
        parts = [
            Part(name=str(file).rpartition("/")[2], source=source, rows=int(count), bytes=int(size), sha256="")
            for file, size, count, *_ in written
        ]
        if sum(part.rows for part in parts) != rows:
            raise EngineError(
                f"table {self.contract.table}: {sum(part.rows for part in parts)} of {rows} rows were written to the landing",
                remedy="check that nobody else writes to the landing, then run again",
            )
        return sorted(parts, key=lambda part: part.name)


def _as_written(column: str) -> str:
    """The name of a column in the file: lower case, as every landing has it."""
    return f'"{column}"'


def _unloaded(value: str, column: str, data_type: str) -> str:
    text = f"to_varchar({value}, 'YYYY-MM-DD HH24:MI:SS.FF6')" if data_type == "timestamp" else value
    return f"{text} as {_as_written(column)}"
