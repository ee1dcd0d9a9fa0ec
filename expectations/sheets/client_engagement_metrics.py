"""Client engagement as the operations team typed it: whether it is the whole sheet, and how much of it can be used."""

import great_expectations as gx

from regulars.contracts import Column
from regulars.quality import rules
from regulars.quality.suites import SuiteContext
from regulars.sheet_contracts import SheetColumn

KEYS = ("_tab", "_row")
ASK = "ask operations whether the sheet is whole; the next run reads it again"
DECIDE = "`regulars mappings list --waiting`, then approve or reject; the next run takes it into account"
FEW = 20  # rows: a share of fewer says nothing
WAITING = """
select count(case when usable.column_name is null then 1 end) / nullif(cast(count(*) as double precision), 0)
from {batch} as sheet
left join mapping.{usable} as usable on usable.column_name = '{column}' and usable.{raw} = sheet.{column}
where sheet.{column} is not null
"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    columns = context.contract.columns if context.contract else ()
    return gx.ExpectationSuite(
        name="sheets.client_engagement_metrics",
        expectations=[
            *rules.measure(
                "rows_there", "The sheet has rows.", "count(*)", block=(1, None), min_rows=0, remedy=ASK, on_empty=True
            ),
            *_as_many_as_usual(context),
            rules.no_rows(
                "places_told_apart",
                "A row of a tab is there once.",
                "select _tab, _row from {batch} group by _tab, _row having count(*) > 1",
                remedy="have the tabs called differently, or the files of the export",
            ),
            *(rule for column in columns if column.required for rule in _filled(column)),
            *(
                rule
                for column in columns
                if isinstance(column, SheetColumn) and column.rule
                for rule in _usable(column)
            ),
        ],
    )


def _as_many_as_usual(context: SuiteContext) -> list[object]:
    """Sheets grow: half of the rows of before is a piece of one."""
    before = context.before.rows if context.before else 0
    if before < FEW:
        return []
    return rules.measure(
        "rows_as_before", f"The sheet has at least half of the {before:,} rows of before.", "count(*)",
        block=(before // 2, None), warn=(before * 9 // 10, None), min_rows=0, remedy=ASK,
    )  # fmt: skip


def _filled(column: Column) -> list[object]:
    return rules.share(
        f"{column.name}_filled", f"Rows have a value in {column.name}.", f"nullif(trim({column.name}), '') is not null",
        block=(0.5, None), warn=(0.95, None), min_rows=FEW, remedy=ASK,
    )  # fmt: skip


def _usable(column: SheetColumn) -> list[object]:
    """The share of filled cells that wait for a decision."""
    words = column.rule is not None and column.rule.mapping == "words"
    query = WAITING.replace("{column}", column.name).replace("{usable}", "usable_words" if words else "usable_numbers")
    return rules.query_value(
        f"{column.name}_waiting", f"What the cells of {column.name} mean is known for nearly all of them.",
        query.replace("{raw}", "raw_value" if words else "raw_text"),
        block=(None, 0.5), warn=(None, 0.02), remedy=DECIDE,
    )  # fmt: skip
