"""The thirteen tables and their rows on a day: what the formulas give, with the planted edits."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, get_args

from regulars.contracts import Contract, read_contracts
from regulars.errors import ConfigError
from regulars.sample import activity, cases, support, users
from regulars.sample.draws import literal
from regulars.sample.faults import FORMULA_REGION, REVISED_DAY, SHRUNKEN_DAY, plan_faults
from regulars.sample.records import Record
from regulars.sample.spec import SampleSpec
from regulars.settings import PROJECT_DIR

Variant = Literal["whole", "shrunken", "corrected"]
TABLES: dict[str, Callable[[SampleSpec, int], str]] = {
    "user_profile": users.user_profile,
    "user_activity": activity.user_activity,
    "engagement_score": activity.engagement_score,
    "feature_adoption": activity.feature_adoption,
    "retention_action": activity.retention_action,
    "support_calls": support.support_calls,
    "support_chats": support.support_chats,
    "issue_tickets": cases.issue_tickets,
    "service_requests": cases.service_requests,
    "product_support_usage": support.product_support_usage,
    "repeat_engagements": support.repeat_engagements,
    "region_metadata": users.region_metadata,
    "region_thresholds": users.region_thresholds,
}


@lru_cache(maxsize=1)
def sample_contracts() -> dict[str, Contract]:
    """Contracts of the sample's tables, by name."""
    contracts = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models")
    return {name: contracts[name] for name in TABLES}


def variants_of(spec: SampleSpec, table: str, day: int) -> tuple[Variant, ...]:
    """What may be delivered for the table on the day, besides `whole`."""
    if spec.faults and table == "user_profile" and day == SHRUNKEN_DAY:
        return ("shrunken",)
    if spec.faults and table == "user_activity" and day == REVISED_DAY:
        return ("corrected",)
    return ()


def check_variant(spec: SampleSpec, day: int, variant: str) -> None:
    """Raises ConfigError for a variant that the day does not have."""
    if variant not in get_args(Variant):
        raise ConfigError(f"there is no variant {variant!r} of a day", remedy=f"one of: {', '.join(get_args(Variant))}")
    if variant != "whole" and not any(variant in variants_of(spec, table, day) for table in TABLES):
        raise ConfigError(
            f"{spec.day_at(day)} has no variant {variant!r}",
            remedy=f"shrunken is of {spec.day_at(SHRUNKEN_DAY)}, corrected of {spec.day_at(REVISED_DAY)}",
        )


def day_rows(spec: SampleSpec, table: str, day: int, variant: Variant = "whole") -> str:
    """SELECT of what the source delivers for the table on the day of that index: text columns in contract order.

    A variant that the table does not have on that day gives its whole rows.
    """
    plan = plan_faults(spec)
    columns = [column.name for column in sample_contracts()[table].columns]
    base = f"select {', '.join(columns)} from ({TABLES[table](spec, day)})"
    if spec.faults and table == "region_metadata":
        code, text = FORMULA_REGION
        name = f"case when region_code = {literal(code)} then {literal(text)} else region_name end as region_name"
        base = f"select {', '.join(name if column == 'region_name' else column for column in columns)} from ({base})"
    if variant == "shrunken" and variant in variants_of(spec, table, day):
        return f"{base} where right(user_id, 1) in ('0', '1', '2')"
    edit = plan.edits.get((table, day))
    if edit is None:
        return base
    if edit.removes:
        base += f" where user_id not in ({', '.join(literal(user) for user in sorted(edit.removes))})"
    if not edit.adds:
        return base
    added = edit.adds
    if variant == "corrected":
        corrections = plan.corrections.get((table, day), {})
        added = [corrections.get(str(record.get("activity_id")), record) for record in added]
    rows = ", ".join(_values(columns, record) for record in added)
    return f"{base}\nunion all\nselect * from (values {rows}) as planted ({', '.join(columns)})"


def _values(columns: list[str], record: Record) -> str:
    def cell(value: str | None) -> str:
        return "cast(null as varchar)" if value is None else literal(value)

    return f"({', '.join(cell(record.get(column)) for column in columns)})"
