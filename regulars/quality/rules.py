"""Words in which suites are written: each gives expectations with a name, a sentence, a remedy and a severity.

A rule that a person must act on before anything is published blocks; one that a person should look at warns. Where both
limits are given (`block=`, `warn=`) they share one measurement; the warning one is named `<name>_watch`.
"""

from __future__ import annotations

from typing import Any

import great_expectations as gx
from great_expectations.expectations.metadata_types import FailureSeverity

from regulars.engine import quote
from regulars.quality.checks import Severity
from regulars.quality.measures import ExpectMeasureToBeBetween, ExpectNoRows, ExpectQueryToBeBetween, ExpectRowsToHold
from regulars.quality.suites import SuiteContext

SEVERITIES = {"block": FailureSeverity.CRITICAL, "warn": FailureSeverity.WARNING}
Limits = tuple[float | None, float | None]
ENOUGH_ROWS = 200  # a share of fewer rows than this says nothing


def rule(
    expectation: Any,
    name: str,
    says: str,
    *,
    remedy: str,
    severity: Severity = "warn",
    bad_rows: str | None = None,
    on_empty: bool = False,
    **arguments: Any,
) -> Any:
    """An expectation that reports as `name`. `bad_rows` is the SQL condition (or, beginning with `select`, the query
    over `{batch}`) that finds the keys to show; a rule that also speaks about an empty batch is `on_empty`."""
    return expectation(
        **arguments,
        severity=SEVERITIES[severity],
        description=f"{name}: {says}",
        meta={"check": name, "says": says, "remedy": remedy, "bad_rows": bad_rows, "on_empty": on_empty},
    )


def graded(
    expectation: Any, name: str, says: str, *, block: Limits | None = None, warn: Limits | None = None, **more: Any
) -> list[Any]:
    """One measured number with limits that block and limits that warn."""
    found = []
    severities: tuple[tuple[Severity, Limits | None], ...] = (("block", block), ("warn", warn))
    for severity, limits in severities:
        if limits is not None:
            label = f"{name}_watch" if severity == "warn" and block is not None else name
            found.append(
                rule(expectation, label, says, severity=severity, min_value=limits[0], max_value=limits[1], **more)
            )
    return found


def rows_hold(
    name: str,
    says: str,
    condition: str,
    *,
    remedy: str,
    severity: Severity = "block",
    mostly: float = 1.0,
    min_rows: int = 1,
) -> Any:
    """Rows for which `condition` is not null fulfil it, all or the share `mostly`."""
    return rule(
        ExpectRowsToHold,
        name,
        says,
        remedy=remedy,
        severity=severity,
        bad_rows=f"not ({condition})",
        condition=condition,
        mostly=mostly,
        min_rows=min_rows,
    )


def no_rows(name: str, says: str, query: str, *, remedy: str, severity: Severity = "block") -> Any:
    """A query over `{batch}` finds nothing; its first columns are shown as keys."""
    return rule(ExpectNoRows, name, says, remedy=remedy, severity=severity, bad_rows=query, unexpected_rows_query=query)


def share(
    name: str, says: str, condition: str, *, remedy: str, min_rows: int = ENOUGH_ROWS, **limits: Any
) -> list[Any]:
    """The share of rows that fulfil `condition` lies within limits."""
    measure = (
        f"case when count(*) < {min_rows} then null "
        f"else cast(count(case when {condition} then 1 end) as double precision) / nullif(count(*), 0) end"
    )
    return graded(ExpectMeasureToBeBetween, name, says, measure=measure, remedy=remedy, **limits)


def measure(
    name: str, says: str, aggregate: str, *, remedy: str, min_rows: int = ENOUGH_ROWS, **limits: Any
) -> list[Any]:
    """A SQL aggregate lies within limits."""
    guarded = f"case when count(*) < {min_rows} then null else {aggregate} end"
    return graded(ExpectMeasureToBeBetween, name, says, measure=guarded, remedy=remedy, **limits)


def query_value(name: str, says: str, query: str, *, remedy: str, **more: Any) -> list[Any]:
    """The one number that a query over `{batch}` gives lies within limits."""
    return graded(ExpectQueryToBeBetween, name, says, query=query, remedy=remedy, **more)


def filled(column: str, at_least: float, *, remedy: str, severity: Severity = "warn") -> Any:
    """A share of the rows has a value in `column`."""
    return rule(
        gx.expectations.ExpectColumnProportionOfNonNullValuesToBeBetween,
        f"{column}_filled",
        f"At least {at_least:.0%} of the rows have a value in {column}.",
        remedy=remedy,
        severity=severity,
        bad_rows=f"{column} is null",
        column=column,
        min_value=at_least,
    )


def few_quarantined(context: SuiteContext) -> list[Any]:
    """The share of the rows read that went to quarantine."""
    table = context.contract.table if context.contract else ""
    batches = (
        ", ".join(quote(batch_id) for batch_id in context.visible[table].batch_ids)
        if table in context.visible
        else "''"
    )
    return query_value(
        "quarantine_share",
        "Few of the rows that were read broke a row rule.",
        "select case when sum(rows_read) < 20 then null "
        "else cast(sum(rows_quarantined) as double precision) / nullif(sum(rows_read), 0) end "
        f"from ops.ingestion_logs where status = 'loaded' and batch_id in ({batches})",
        remedy=f"look at `regulars quarantine list --table {table}`, correct the source or the contract, then replay",
        block=(None, 0.2),
        warn=(None, 0.01),
        on_empty=True,
    )


def arrived_as_usual(context: SuiteContext, *, floor: float = 0.5, ceiling: float = 3.0) -> list[Any]:
    """Volume against the median of earlier days, and the share of rows that went to quarantine."""
    table = context.contract.table if context.contract else ""
    found = few_quarantined(context)
    usual = context.usual_rows
    if usual is not None:
        found.append(
            rule(
                gx.expectations.ExpectTableRowCountToBeBetween,
                "row_count",
                f"The day has between {floor:.0%} and {ceiling:.0%} of the {usual:,.0f} rows of a usual day.",
                remedy=(
                    f"ask the owner of {table} whether the delivery is complete, then land the day again with refresh"
                ),
                on_empty=True,
                min_value=int(usual * floor),
                max_value=int(usual * ceiling),
            )
        )
    return found


def one_version(context: SuiteContext, *, warn: float = 0.05, block: float = 0.5) -> list[Any]:
    """The share of keys that the day holds in more than one version."""
    key = ", ".join(context.key_columns)
    return query_value(
        "keys_with_versions",
        "Few keys arrive in more than one version a day.",
        f"select cast(count(case when versions > 1 then 1 end) as double precision) / nullif(count(*), 0) "
        f"from (select {key}, count(*) as versions from {{batch}} group by {key}) as counted",
        remedy="check whether the source holds the key twice; the newest version is used",
        bad_rows=f"select {key} from {{batch}} group by {key} having count(*) > 1",
        block=(None, block),
        warn=(None, warn),
    )


def known_members(
    context: SuiteContext, *, warn: float = 0.9, block: float = 0.2, column: str = "user_id"
) -> list[Any]:
    """The share of rows whose member is in the newest population."""
    if context.population is None or context.population not in context.visible:
        return []
    known = context.visible_rows(context.population, column)
    return query_value(
        "known_members",
        f"The {column} of most rows is in {context.population}.",
        f"select case when count(*) < {ENOUGH_ROWS} then null else cast(count(k.{column}) as double precision) / count(*) end "
        f"from {{batch}} as b left join (select distinct {column} from ({known}) as p) as k on b.{column} = k.{column}",
        remedy=f"check that {context.population} was delivered whole and that both come from the same system",
        bad_rows=f"{column} not in ({known})",
        block=(block, None),
        warn=(warn, None),
    )


def of_the_day(context: SuiteContext, column: str, *, at_least: float = 0.05) -> list[Any]:
    """Some of the rows belong to the business day itself: none blocks, few warn (late rows are welcome beside them)."""
    kind = context.contract.by_name[column].data_type if context.contract else "timestamp"
    condition = (
        f"{column} = date '{context.as_of}'"
        if kind == "date"
        else f"{column} >= timestamp '{context.day.start}' and {column} < timestamp '{context.day.end}'"
    )
    return share(
        "rows_of_the_day",
        f"{column} of some rows lies on the business day itself.",
        condition,
        remedy="check that the source was read for the right day, that its clock is UTC, and that its extract had run",
        block=(1e-9, None),
        warn=(at_least, None),
    )
