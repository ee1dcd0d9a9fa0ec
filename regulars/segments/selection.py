"""Who of a segment is delivered, as SQL: population, consent, hold-out, personal data, formula guard.

Pure functions that return SQL text. Values reach it as numbers, dates and names that were checked; the key does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from regulars.contracts import Contract
from regulars.segments.config import MEMBER, SegmentDefinition
from regulars.segments.holdout import held_out_sql
from regulars.segments.unload import Dialect

MEMBERS, PREVIOUS, LEFT = "delivery_members", "delivery_previous", "delivery_left"
REASONS = (
    "erased",
    "left_population",
    "no_consent",
    "held_out",
)  # of withholding a member; the first that holds counts
TYPED = re.compile(
    r"(tiny|small|big|huge|u\w*)?int(eger)?|decimal.*|number.*|double|float|real|boolean|date|timestamp.*|time.*"
)


def is_text(kind: str) -> bool:
    """Whether the cells of a column of this type are guarded: all but numbers, booleans and times."""
    return not TYPED.fullmatch(kind.lower())


@dataclass(frozen=True)
class Selection:
    """What is to be selected. `types`: the delivered columns in order; `newest_day`: the day whose consents apply."""

    segment: SegmentDefinition
    as_of: date
    newest_day: date
    profile_day: date | None
    types: Mapping[str, str]
    has_previous: bool


def members_sql(selection: Selection, sql: Dialect) -> str:
    """`delivery_members`: a row per member of `as_of` with the delivered columns, then

    `withheld` (one of REASONS, null if delivered), `is_entered`, `formula_cells` (text cells to be neutralised).
    """
    segment, personal = selection.segment, selection.segment.personal_columns
    texts = [column for column, kind in selection.types.items() if is_text(kind)]
    values = ", ".join(f"{'profile' if column in personal else 'members'}.{column}" for column in selection.types)
    cells = (
        " + ".join(f"(case when {sql.is_formula(f'cast({column} as varchar)')} then 1 else 0 end)" for column in texts)
        or "0"
    )
    joins = [f"from segments.{segment.name} as members", *_standing_joins("members", selection)]
    ctes = []
    if personal and segment.population is not None and selection.profile_day:
        profile = profile_sql(segment.population, tuple(personal), selection.profile_day)
        ctes.append(f"profile as ({profile})")
        joins.append(f"left join profile on profile.{MEMBER} = members.{MEMBER}")
    if selection.has_previous:
        joins.append(f"left join {PREVIOUS} as previous on previous.{MEMBER} = members.{MEMBER}")
    chosen = (
        f"select {values}, {_withheld(selection, sql)} as withheld, "
        f"{f'previous.{MEMBER} is null' if selection.has_previous else 'true'} as is_entered "
        f"{' '.join(joins)} where members.snapshot_date = {_date(selection.as_of)}"
    )
    ctes.append(f"chosen as ({chosen})")
    return (
        f"create or replace temporary table {MEMBERS} as with {', '.join(ctes)} "
        f"select *, cast({cells} as bigint) as formula_cells from chosen order by {MEMBER}"
    )


def profile_sql(contract: Contract, columns: Sequence[str], day: date) -> str:
    """Personal columns by user: the winner (event time, sequence, then content) of the day's effective batches.

    Content first means what staging decides by, so that the address comes from the version that the master shows.
    """
    shown = [column.pseudonym or column.name for column in contract.columns if column.pseudonym or not column.pii]
    deciding = dict.fromkeys((contract.event_time, contract.sequence, *shown, *columns))
    newest = ", ".join(f"{name} desc nulls last" for name in deciding if name and name not in contract.key)
    return (
        f"select {contract.key[0]} as {MEMBER}, {', '.join(columns)} from raw.{contract.table} "
        f"where _as_of = {_date(day)} and _batch_id in "
        f"(select batch_id from ops.effective_batches where table_name = '{contract.table}' and as_of = {_date(day)}) "
        f"qualify row_number() over (partition by {contract.key[0]} order by {newest}) = 1"
    )


def left_sql(selection: Selection) -> str:
    """`delivery_left`: `user_id` and `reason` of whoever was in the previous full list and is not in this one."""
    reasons = [f"when today.{MEMBER} is null then 'erased'", "when today.is_deleted then 'left_population'"]
    if not _is_newest(selection):
        reasons.append(f"when that_day.{MEMBER} is null or that_day.is_deleted then 'left_population'")
    if consent := selection.segment.delivery.consent:
        reasons.append(f"when {_no_consent(consent, selection)} then 'consent_withdrawn'")
    reasons.append("when members.withheld = 'held_out' then 'held_out'")
    return (
        f"create or replace temporary table {LEFT} as "
        f"select previous.{MEMBER}, case {' '.join(reasons)} else 'left_segment' end as reason "
        f"from {PREVIOUS} as previous "
        f"left join {MEMBERS} as members on members.{MEMBER} = previous.{MEMBER} "
        f"{' '.join(_standing_joins('previous', selection))} "
        f"where members.{MEMBER} is null or members.withheld is not null order by previous.{MEMBER}"
    )


def previous_sql(source: str, guarded: bool, sql: Dialect) -> str:
    """`delivery_previous`: the members of the previous full list, from a table expression over its file."""
    member = sql.undo_guard(MEMBER) if guarded else MEMBER
    return f"create or replace temporary table {PREVIOUS} as select {member} as {MEMBER} from {source}"


def full_sql(types: Mapping[str, str], guarded: bool, sql: Dialect, only_entered: bool = False) -> str:
    """The delivered rows in their order; `guarded` puts an apostrophe before cells that a spreadsheet would run."""
    listed = [
        sql.named(_guard(column, sql) if guarded and is_text(types[column]) else column, column) for column in types
    ]
    entered = " and is_entered" if only_entered else ""
    # Rows of the same order are equal bytes of CSV; Parquet's row groups would differ with the number of threads.
    order = sql.order_by_stored(MEMBERS, MEMBER) if guarded else f" order by {MEMBERS}.{MEMBER}"
    return f"select {', '.join(listed)} from {MEMBERS} where withheld is null{entered}{order}"


def left_rows_sql(guarded: bool, sql: Dialect) -> str:
    """Who left and why, in order of user_id; `guarded` for CSV, where an id may look like a formula."""
    member = f"case when {sql.is_formula(MEMBER)} then '''' || {MEMBER} else {MEMBER} end" if guarded else MEMBER
    return f"select {sql.named(member, MEMBER)}, {sql.named('reason', 'reason')} from {LEFT} order by {LEFT}.{MEMBER}"


def nobody_left_sql(sql: Dialect) -> str:
    """The same without a row."""
    empty = "cast('' as varchar)"
    return f"select {sql.named(empty, MEMBER)}, {sql.named(empty, 'reason')} where 1 = 0"


def _guard(column: str, sql: Dialect) -> str:
    text = f"cast({column} as varchar)"
    guarded = f"case when {sql.is_formula(text)} then '''' || {text} else {text} end"
    return f"case when formula_cells > 0 then {guarded} else {text} end"  # "and" promises no order


def _standing_joins(alias: str, selection: Selection) -> list[str]:
    """What history knows of a user: `today` (open stretch, deleted or not) and `that_day` (the stretch of `as_of`).

    On the newest day both are the same stretch, and the second join of all members is saved.
    """
    today = f"left join marts.loyalty_history as today on today.{MEMBER} = {alias}.{MEMBER} and today.valid_to is null"
    if _is_newest(selection):
        return [today]
    day, later = _date(selection.as_of), "that_day.valid_to"
    return [
        today,
        f"left join marts.loyalty_history as that_day on that_day.{MEMBER} = {alias}.{MEMBER} "
        f"and that_day.valid_from <= {day} and ({later} is null or {later} > {day})",
    ]


def _no_consent(column: str, selection: Selection) -> str:
    stretches = ("today",) if _is_newest(selection) else ("today", "that_day")
    return f"not ({' and '.join(f'coalesce({stretch}.{column}, false)' for stretch in stretches)})"


def _is_newest(selection: Selection) -> bool:
    return selection.as_of == selection.newest_day


def _withheld(selection: Selection, sql: Dialect) -> str:
    segment = selection.segment
    reasons = [f"when today.{MEMBER} is null then 'erased'", "when today.is_deleted then 'left_population'"]
    if segment.delivery.consent:
        reasons.append(f"when {_no_consent(segment.delivery.consent, selection)} then 'no_consent'")
    if segment.delivery.holdout_pct:
        reasons.append(f"when {held_out_sql(segment, f'members.{MEMBER}', sql)} then 'held_out'")
    return f"case {' '.join(reasons)} end"


def _date(day: date) -> str:
    return f"date '{day.isoformat()}'"
