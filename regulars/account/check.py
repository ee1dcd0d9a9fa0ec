"""What of an account's set-up is missing, found by SHOW, with the statement or step that mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from regulars.account.grants import Ask, Grant, granted, missing
from regulars.account.plan import BUILT, LOADED, PUBLISHED, Account, team_schema
from regulars.account.sql_text import Sql, name, text
from regulars.errors import ConfigError
from regulars.findings import Finding
from regulars.warehouse.snowflake_tables import REJECTS_TABLE

UNSEEN = "missing, or out of sight for this role"


def check_account(account: Account, ask: Ask) -> list[Finding]:
    """Objects, privileges and masks, in the order of the set-up."""
    return [*_objects(account, ask), *_privileges(account, ask), _readers(account), *_masks(account, ask)]


def wanted_objects(account: Account) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(step, kind, name) of everything that has to be there."""
    work, published = account.database, account.published
    yield from (("01_roles", "roles", (role,)) for role in account.all_roles)
    yield "02_warehouses", "resource monitors", (f"{work}_MONTH",)
    yield from (("02_warehouses", "warehouses", (one.name,)) for one in account.warehouses)
    yield from (("03_databases", "databases", (database,)) for database in (work, published))
    yield from (("03_databases", "schemas", (work, schema)) for schema in ("governance", *LOADED, *BUILT))
    yield from (("03_databases", "schemas", (published, team_schema(team))) for team in account.limited_teams)
    if account.integration and account.locations:
        yield "04_storage", "integrations", (account.integration,)
    yield from (("06_tables_and_stages", "tables", (work, "raw", table)) for table in account.contracts)
    yield "06_tables_and_stages", "tables", (work, *REJECTS_TABLE.split("."))
    yield "06_tables_and_stages", "stages", (work, "raw", "uploads")
    if account.integration and account.landing_url:
        yield "06_tables_and_stages", "stages", (work, "raw", "landing")
    if account.integration and account.delivery_url:
        for team in account.limited_teams:
            for number, _ in account.stages_of(team):
                yield "06_tables_and_stages", "stages", (published, team_schema(team), f"deliveries_{number}")
    if account.spec.masking:
        yield "07_personal_data", "tags", (work, "governance", "personal_data")
        for kind in account.masked_types:
            yield "07_personal_data", "masking policies", (work, "governance", f"mask_{kind}")
    yield from (("08_users", "users", (user.name,)) for user in (account.spec.loader, account.spec.dashboard) if user)
    yield "09_retention", "tasks", (work, "ops", "forget_old_checks")


def _objects(account: Account, ask: Ask) -> Iterator[Finding]:
    shown: dict[Sql, set[tuple[str, ...]]] = {}
    for step, kind, place in wanted_objects(account):
        container = f" in database {name(place[0])}" if len(place) > 1 else ""
        statement = Sql(f"show {kind}{container}")
        if statement not in shown:
            shown[statement] = {_place(row, len(place)) for row in _ask(ask, statement)}
        there = tuple(part.upper() for part in place) in shown[statement]
        label = f"{kind}: {'.'.join(place)}"
        remedy = "" if there else f"{UNSEEN}: regulars snowflake setup --apply --step {step}"
        yield Finding(label, there, remedy)


def _privileges(account: Account, ask: Ask) -> Iterator[Finding]:
    by_role: dict[str, list[Grant]] = {}
    for grant in account.grants:
        by_role.setdefault(grant.role, []).append(grant)
    for role, wanted in by_role.items():
        yield from check_grants(role, wanted, ask)


def _readers(account: Account) -> Finding:
    """Whether a publication lets the reader in."""
    reader = account.role("reader")
    named = {role.upper(): seen for role, seen in account.settings.snowflake.readers.items()}
    remedy = f"set REGULARS_SNOWFLAKE__READERS={json.dumps({reader: PUBLISHED})} for the flows"
    return Finding(f"publications are granted to {reader}", set(PUBLISHED) <= set(named.get(reader, ())), remedy)


def check_grants(role: str, wanted: list[Grant], ask: Ask) -> Iterator[Finding]:
    """A finding for each privilege that a role lacks, with the statement that grants it; one if it lacks none."""
    try:
        held = granted(ask, role)
    except ConfigError as error:
        yield Finding(f"privileges of {role}", False, f"cannot be seen: {error.message}")
        return
    lacking = missing(wanted, held)
    yield from (Finding(f"{role}: {describe(grant)}", False, f"{grant.sql};") for grant in lacking)
    if not lacking:
        yield Finding(f"{role}: its {len(wanted)} privileges", True)


def describe(grant: Grant) -> str:
    """A privilege in words."""
    where = ".".join(grant.place)
    return f"{grant.privilege} on {f'future {grant.kind}s in' if grant.future else grant.kind} {where}".lower()


def _masks(account: Account, ask: Ask) -> Iterator[Finding]:
    if not account.spec.masking:
        return
    _ask(ask, Sql(f"use warehouse {name(account.warehouse_of('read'))}"))
    tag = name(account.database, "governance", "personal_data")
    for place in dict.fromkeys((mask.schema, mask.table) for mask in account.masks):
        table = name(account.database, *place)
        rows = _ask(
            ask,
            Sql(
                f"select tag_name, column_name from table({name(account.database)}.information_schema"
                f".tag_references_all_columns({text(table)}, 'table'))"
            ),
        )
        tagged = {row["column_name"] for row in rows if row["tag_name"] == "PERSONAL_DATA"}
        for mask in (one for one in account.masks if (one.schema, one.table) == place):
            there = mask.column.upper() in tagged
            remedy = f"alter table {table} modify column {name(mask.column)} set tag {tag} = {text(mask.kind)};"
            yield Finding(f"mask of {'.'.join((*place, mask.column))}", there, "" if there else remedy)


def _ask(ask: Ask, statement: Sql) -> list[dict[str, Any]]:
    """Rows, none where what is asked about is not there."""
    try:
        return ask(statement)
    except ConfigError:
        return []


def _place(row: dict[str, Any], parts: int) -> tuple[str, ...]:
    """The name of a row of SHOW, with database and schema where the kind has them."""
    columns = {1: ("name",), 2: ("database_name", "name"), 3: ("database_name", "schema_name", "name")}[parts]
    return tuple(str(row.get(column)) for column in columns)
