"""Contracts of sheets that the operational store takes in: what a cell means, beside what a column is.

They stand in the sources YAML of `dbt/operational`, and are read as those of raw tables are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import field_validator, model_validator

from regulars.cleansing.rules import FIELDS, MappingRule
from regulars.contracts import Column, Contract, read_contracts
from regulars.settings import Settings

SIGNS = re.compile(r"%.?")
WHOLE_DAYS = "%Y-%m-%d"


class SheetColumn(Column):
    """A column of a sheet. `rule` says how its words or numbers are mapped (None: the cell as it is), `forms` in which a
    day may be written; those without a day mean the first of the month."""

    rule: MappingRule | None = None
    forms: tuple[str, ...] = (WHOLE_DAYS,)

    @model_validator(mode="before")
    @classmethod
    def _with_rule(cls, given: dict[str, Any]) -> dict[str, Any]:
        """In the YAML the fields of the rule stand side by side with the others."""
        rule = {name: given[name] for name in FIELDS & given.keys()}
        rest = {name: value for name, value in given.items() if name not in FIELDS}
        return {**rest, "rule": rule} if rule else rest

    @field_validator("forms")
    @classmethod
    def _readable(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        for form in forms:
            signs = SIGNS.findall(form)
            if set(signs) - {"%Y", "%m", "%d", "%b"} or len(set(signs)) < len(signs):
                raise ValueError(f"{form!r} has other signs than %Y, %m, %b and %d, each at most once")
            if "%Y" not in signs or ("%m" in signs) == ("%b" in signs):
                raise ValueError(f"{form!r} needs %Y, and either %m or %b")
            if form in ("%Y%m", "%m%Y"):
                raise ValueError(f"{form!r} is read as another day: a bare number is a day as spreadsheets count them")
        return forms

    @model_validator(mode="after")
    def _fits(self) -> SheetColumn:
        if self.rule is None:
            return self
        if self.pii:
            raise ValueError("the values of a mapped column are shown to who decides about them: it cannot be pii")
        is_number = self.data_type in ("bigint", "double") or self.data_type.startswith("decimal")
        if is_number != (self.rule.mapping == "numbers"):
            raise ValueError(f"mapping {self.rule.mapping} does not make a {self.data_type}")
        return self


def read_sheet_contracts(settings: Settings) -> dict[str, Contract]:
    """Contracts of sheets by table name, their columns SheetColumn. Raises ConfigError with file, table and field."""
    return read_contracts(settings.operational_project_dir / "models" / "staging", SheetColumn)


def mapping_rules(contract: Contract) -> Mapping[str, MappingRule]:
    """The rules of the mapped columns of a sheet, by column."""
    return {
        column.name: column.rule
        for column in contract.columns
        if isinstance(column, SheetColumn) and column.rule is not None
    }
