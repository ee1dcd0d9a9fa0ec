"""Planted faults of the sheet: rows that hold them, what people decide about some, and queries that say whether each was caught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal

from regulars.sample.draws import literal
from regulars.sample.engagement.spec import EngagementSpec
from regulars.sample.records import Record

Place = Literal["store", "warehouse"]


@dataclass(frozen=True)
class SheetFault:
    """One fault. `query` gives true once it is caught, in `place`, after the run of `evening` or a later one."""

    id: str
    kind: str
    evening: date
    description: str
    place: Place
    query: str


@dataclass(frozen=True)
class Decision:
    """What operations says of a raw value before `evening`; `meaning` None rejects it."""

    evening: date
    column: str
    raw: str
    meaning: str | None


@dataclass
class SheetPlan:
    """Planted rows with the first evening on which they stand in the sheet, and the one from which on they are gone."""

    faults: list[SheetFault] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    rows: list[tuple[date, date | None, Record]] = field(default_factory=list)


def faults_until(spec: EngagementSpec, evening: date) -> Sequence[SheetFault]:
    """Faults that can be judged once the flow of `evening` was run."""
    return [fault for fault in plan_faults(spec).faults if fault.evening <= evening]


def decisions_before(spec: EngagementSpec, evening: date) -> Sequence[Decision]:
    """What people decide between the run of the evening before and that of `evening`."""
    return [decision for decision in plan_faults(spec).decisions if decision.evening == evening]


def planted_rows(spec: EngagementSpec, evening: date) -> Sequence[Record]:
    return [row for since, gone, row in plan_faults(spec).rows if since <= evening and (gone is None or evening < gone)]


@lru_cache(maxsize=4)
def plan_faults(spec: EngagementSpec) -> SheetPlan:
    """Everything planted in this sheet; each fault has a client of its own, F01 and so on."""
    plan = SheetPlan()
    if spec.faults:
        _numbers(plan, spec)
        _words(plan, spec)
        _days_and_gaps(plan, spec)
        _changes(plan, spec)
        _projects(plan, spec)
    return plan


def _numbers(plan: SheetPlan, spec: EngagementSpec) -> None:
    first, second, _ = spec.evenings
    understood = {
        "one hundred and five": ("session_count", "105"), "1.234,50": ("spend_amount", "1234.50"),
        "1.2k": ("spend_amount", "1200.00"), "(250.00)": ("spend_amount", "-250.00"), "€99": ("spend_amount", "99.00"),
        "1 234,5": ("spend_amount", "1234.50"), "１２": ("session_count", "12"),
    }  # fmt: skip
    for text, (column, number) in understood.items():
        client = _row(plan, spec, first, {column: text})
        _fault(plan, "number_spelt", first, f"{text} in {column} is {number}", "store",
               f"select {column} = {number} from staging.stg_customer_engagement where client_id = '{client}'")  # fmt: skip
    for text, column in (("lots", "session_count"), ("7.5", "session_count"), ("3O", "spend_amount")):
        client = _row(plan, spec, first, {column: text})
        _fault(
            plan,
            "number_refused",
            first,
            f"{text} in {column} waits, and is not guessed",
            "store",
            _waits(client, column),
        )
    client = _row(plan, spec, first, {"session_count": "10-12"})
    plan.decisions.append(Decision(second, "session_count", "10-12", "11"))
    _fault(plan, "number_decided", second, "a range waits until a person says what it counts as", "store",
           f"select session_count = 11 from staging.stg_customer_engagement where client_id = '{client}'")  # fmt: skip


def _words(plan: SheetPlan, spec: EngagementSpec) -> None:
    first, second, _ = spec.evenings
    understood = {
        "ＨＩＧＨ": ("engagement_level", "high"), "onbaording": ("status", "onboarding"), "vidoe call": ("channel", "video call"),
    }  # fmt: skip
    for text, (column, word) in understood.items():
        client = _row(plan, spec, first, {column: text})
        _fault(plan, "word_spelt", first, f"{text} in {column} is {word}", "store",
               f"select {column} = {literal(word)} from staging.stg_customer_engagement where client_id = '{client}'")  # fmt: skip
    for text, column, word in (("engaged", "status", "active"), ("whatsapp", "channel", "portal")):
        client = _row(plan, spec, first, {column: text})
        plan.decisions.append(Decision(second, column, text, word))
        _fault(plan, "word_decided", second, f"{text} in {column} waits until a person says that it is {word}", "store",
               f"select {column} = {literal(word)} from staging.stg_customer_engagement where client_id = '{client}'")  # fmt: skip
    client = _row(plan, spec, first, {"engagement_level": "splendid"})
    plan.decisions.append(Decision(second, "engagement_level", "splendid", None))
    _fault(plan, "word_refused", first, "a level that nobody knows waits, also when it is rejected", "store",
           _waits(client, "engagement_level"))  # fmt: skip


def _days_and_gaps(plan: SheetPlan, spec: EngagementSpec) -> None:
    first = spec.start
    client = _row(plan, spec, first, {"last_contact_on": "31.02.2025"})
    _fault(plan, "no_such_day", first, "the 31st of February", "store", _waits(client, "last_contact_on"))
    client = _row(plan, spec, first, {"last_contact_on": "last week"})
    _fault(plan, "no_such_day", first, "a day that is none", "store", _waits(client, "last_contact_on"))
    client = _row(plan, spec, first, {"project_code": " "})
    _fault(plan, "missing", first, "a row without a project", "store", _waits(client, "project_code"))
    client = _row(plan, spec, first, {"session_count": "2"})
    _row(plan, spec, first, {"session_count": "5"}, client=client)
    _fault(plan, "written_twice", first, "two rows for a month: the one further down holds", "store",
           f"select session_count = 5 and (select count(*) from staging.int_client_engagement_ranked where client_id = '{client}') = 2 "
           f"from staging.stg_customer_engagement where client_id = '{client}'")  # fmt: skip


def _changes(plan: SheetPlan, spec: EngagementSpec) -> None:
    first, second, third = spec.evenings
    client = _row(plan, spec, first, {"spend_amount": "100.00"})
    _row(plan, spec, second, {"spend_amount": "150.00"}, client=client)
    _fault(plan, "corrected", second, "a row corrected by one further down, a day later", "warehouse",
           f"select spend_amount = 150 from marts.customer_engagement_summary where client_id = '{client}'")  # fmt: skip
    client = _row(plan, spec, first, gone=second)
    _fault(plan, "taken_out", second, "a row that is taken out of the sheet is gone from the summary", "warehouse",
           f"select count(*) = 0 from marts.customer_engagement_summary where client_id = '{client}'")  # fmt: skip
    _fault(plan, "unchanged", third, "a sheet that says what it said is not moved again", "warehouse",
           "select count(*) = 0 from ops.ingestion_logs where table_name = 'customer_engagement' and status = 'loaded' "
           f"and as_of = date '{third}'")  # fmt: skip
    client = _row(plan, spec, first, {"engagement_level": "low"}, month=1)
    _row(plan, spec, first, {"engagement_level": "High"}, client=client)
    _fault(plan, "raised", first, "a level that was raised", "warehouse",
           "select engagement_level = 'high' and level_before = 'low' from marts.customer_engagement_summary "
           f"where client_id = '{client}'")  # fmt: skip


def _projects(plan: SheetPlan, spec: EngagementSpec) -> None:
    first = spec.start
    for project, reason in (("P-035", "unknown_project"), ("P-006", "after_end")):
        client = _row(plan, spec, first, {"project_code": project})
        _fault(plan, reason, first, f"{project}: {reason.replace('_', ' ')}, listed and not dropped", "warehouse",
               "select (select count(*) from marts.engagement_unmatched where client_id = "
               f"'{client}' and reason = '{reason}') = 1 and "
               f"(select count(*) from marts.customer_engagement_summary where client_id = '{client}') = 1")  # fmt: skip


def _row(
    plan: SheetPlan, spec: EngagementSpec, since: date, changed: Record | None = None, *,
    client: str = "", gone: date | None = None, month: int = 0,
) -> str:  # fmt: skip
    """A row that is plain but for what is `changed`; gives its client."""
    name = client or f"F{1 + len({row['client_id'] for _, _, row in plan.rows}):02d}"
    told = spec.month(month)
    record: Record = {
        "client_id": name, "client_name": f"Planted {name}", "project_code": "P-001", "period_starts_on": f"{told:%Y-%m}",
        "engagement_level": "medium", "status": "active", "channel": "email", "session_count": "3", "spend_amount": "10.00",
        "last_contact_on": f"{told:%Y-%m}-15", **(changed or {}),
    }  # fmt: skip
    plan.rows.append((since, gone, record))
    return name


def _waits(client: str, column: str) -> str:
    return (
        f"select (select count(*) from staging.client_engagement_waiting where client_id = '{client}' "
        f"and problem like '{column}:%') = 1 "
        f"and (select count(*) from staging.stg_customer_engagement where client_id = '{client}') = 0"
    )


def _fault(plan: SheetPlan, kind: str, evening: date, description: str, place: Place, query: str) -> None:
    number = 1 + sum(fault.kind == kind for fault in plan.faults)
    plan.faults.append(SheetFault(f"{kind}-{number:02d}", kind, evening, description, place, query))
