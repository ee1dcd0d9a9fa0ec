"""Column expressions of a table that Snowflake reads: one scalar expression of its SQL over the columns of the files."""

from __future__ import annotations

import difflib
import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from regulars.errors import ConfigError, ContractError
from regulars.mapping import Mapped, listed, visible_names
from regulars.sources.base import Piece, Request
from regulars.sources.expressions import match_column

# Another value at every look would make another batch of the same files.
CLOCKS = (exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.CurrentUser, exp.Rand, exp.Randn, exp.Uuid)
CALLS = {"SYSDATE", "GETDATE", "RANDSTR", "UNIFORM", "NORMAL", "SEQ1", "SEQ2", "SEQ4", "SEQ8", "UUID_STRING"}
WHOLE = (exp.AggFunc, exp.Window, exp.Star, exp.Alias, exp.Parameter, exp.SessionParameter, exp.Placeholder)
STATEMENTS = (exp.Query, exp.DDL, exp.DML, exp.Command, exp.Drop, exp.Set, exp.Use, exp.Tuple)
REMEDY = (
    "it must be a source column or one scalar expression of Snowflake's SQL over them, without a query or a clock; "
    "names with other letters stand in quotes"
)


def bind_expression(request: Request, piece: Piece, expression: str, place: str) -> Mapped:
    """SQL of an expression as text, with the columns' names as the files write them.

    Raises ConfigError for what is no such expression, ContractError where the files lack a column that it reads.
    """
    tree = parse_scalar(expression, place)
    names = [name for name, _ in piece.columns]
    for column in list(tree.find_all(exp.Column)):
        if column.table:
            raise ConfigError(f"sources.yml: {place}: {column.sql('snowflake')} is no plain column", remedy=REMEDY)
        found = match_column(column.name, names)
        if found is None:
            visible = visible_names(request, names)
            near = difflib.get_close_matches(column.name, visible, n=1, cutoff=0.5)
            raise ContractError(
                f"{piece.source} has not the columns that {place} reads: {column.name}; found: {listed(visible)}"
                + (f"; nearest: {near[0]}" if near else ""),
                remedy=f"correct {place} in sources.yml, or have the source mended",
            )
        column.set("this", exp.to_identifier(found, quoted=True))
    return Mapped(f"({tree.sql('snowflake', comments=False)})", "VARCHAR")


def parse_scalar(expression: str, place: str) -> exp.Condition | exp.Paren:
    """The one expression that the text is. Raises ConfigError."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what it hands on as it is
    try:
        trees = sqlglot.parse(expression, read="snowflake")
    except SqlglotError as error:
        said = str(error).splitlines()[0] if str(error) else "it cannot be read"
        raise ConfigError(f"sources.yml: {place}: {said[:200]}", remedy=REMEDY) from None
    if len(trees) != 1 or trees[0] is None:
        raise ConfigError(f"sources.yml: {place} is not one expression", remedy=REMEDY)
    tree = trees[0]
    for part in tree.walk():
        is_call = isinstance(part, exp.Anonymous) and (
            part.name.upper() in CALLS or part.name.upper().startswith("SYSTEM$")
        )
        if is_call or isinstance(part, (*CLOCKS, *WHOLE, *STATEMENTS)):
            raise ConfigError(f"sources.yml: {place}: {part.sql('snowflake')[:60]} is not allowed there", remedy=REMEDY)
    if not isinstance(tree, (exp.Condition, exp.Paren)):
        raise ConfigError(f"sources.yml: {place} is not an expression", remedy=REMEDY)
    return tree
