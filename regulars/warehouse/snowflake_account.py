"""What an account needs before the first run: numbered SQL, filled with this place's names, and what of it is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import Template

from regulars.contracts import Contract
from regulars.errors import ConfigError
from regulars.settings import PROJECT_DIR, Settings
from regulars.snowflake_settings import LAYERS, checked_name
from regulars.warehouse import snowflake_tables as tables
from regulars.warehouse.snowflake_session import SnowflakeSessions

SCRIPTS = PROJECT_DIR / "deployments" / "snowflake"
SIZES = {
    "load": "XSMALL",
    "gates": "XSMALL",
    "staging": "SMALL",
    "intermediate": "MEDIUM",
    "marts": "MEDIUM",
    "segments": "SMALL",
}
BUILT = ("staging", "intermediate", "marts", "segments")
NAME = re.compile(r"\$\{(\w+)\}")
COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
GRANT = re.compile(
    r"grant (?P<privilege>[\w ]+?)(?: on (?P<kind>file format|\w+) (?P<name>[\w.]+))? to role (?P<role>\w+)",
    re.IGNORECASE,
)
UNKNOWN = "fill-in"


@dataclass(frozen=True)
class Grant:
    """One privilege, in upper case; for a role that is given to another, `kind` is ROLE and `privilege` USAGE."""

    privilege: str
    kind: str
    name: str
    role: str

    @property
    def statement(self) -> str:
        """What gives it."""
        if self.kind == "ROLE":
            return f"grant role {self.name} to role {self.role};"
        return f"grant {self.privilege.lower()} on {self.kind.lower()} {self.name} to role {self.role};"


@dataclass(frozen=True)
class Account:
    """Names of this place. `teams` get a reader role each; `places` are the s3:// URLs that Snowflake may touch."""

    settings: Settings
    contracts: Mapping[str, Contract]
    teams: Sequence[str]
    aws_role: str = f"arn:aws:iam::{UNKNOWN}:role/{UNKNOWN}"
    credits: int = 100
    network: Sequence[str] = ("192.0.2.0/24",)

    def scripts(self) -> dict[str, list[str]]:
        """Statements by file, in order."""
        return {path.name: list(self._statements(path)) for path in sorted(SCRIPTS.glob("[0-9]*.sql"))}

    def grants(self) -> list[Grant]:
        """Every privilege that the scripts give and that lasts."""
        found = []
        for statement in (one for listed in self.scripts().values() for one in listed):
            if match := GRANT.fullmatch(statement):
                privilege, name = match["privilege"].upper(), (match["name"] or "").upper()
                if match["kind"] is None:
                    found.append(Grant("USAGE", "ROLE", privilege.removeprefix("ROLE "), match["role"].upper()))
                else:
                    found.append(Grant(privilege, match["kind"].upper(), name, match["role"].upper()))
        return found

    def _statements(self, path: Path) -> Iterator[str]:
        """A statement that names a team, a virtual warehouse, a table or a personal column is said once for each."""
        single = self._names()
        lists = self._lists()
        for text in COMMENT.sub("", path.read_text()).split(";\n"):
            statement = " ".join(text.split())
            if not statement:
                continue
            wanted = set(NAME.findall(statement)) - set(single)
            if unknown := wanted - {name for listed in lists for row in listed[:1] for name in row}:
                raise ConfigError(f"{path.name} names {', '.join(sorted(unknown))}", remedy="correct the script")
            needed = [listed for listed in lists if listed and wanted & set(listed[0])]
            if len(needed) < len({next(iter(rows[0])) for rows in lists if rows and wanted & set(rows[0])}):
                continue
            for rows in product(*needed):
                yield Template(statement).substitute(single, **{k: v for row in rows for k, v in row.items()})

    def _names(self) -> dict[str, str]:
        given = self.settings.snowflake
        root = given.database.upper()
        places = [self.settings.landing_root, self.settings.delivery_root]
        on_s3 = [place.rstrip("/") + "/" for place in places if place.startswith("s3://")] or [f"s3://{UNKNOWN}/"]
        return {
            "database": root, "published": given.readers_database.upper(), "credits": str(self.credits),
            "loader": f"{root}_LOADER", "transformer": f"{root}_TRANSFORMER", "dashboard": f"{root}_DASHBOARD",
            "integration": given.storage_integration or f"{root}_S3", "aws_role": self.aws_role, "landing": on_s3[0],
            "locations": ", ".join(f"'{place}'" for place in dict.fromkeys(on_s3)),
            "network": ", ".join(f"'{block}'" for block in self.network),
            "load_warehouse": self._warehouse("load"),
        }  # fmt: skip

    def _warehouse(self, layer: str) -> str:
        given = self.settings.snowflake
        return given.warehouse_of(layer) or f"{given.database}_{SIZES[layer]}".upper()  # type: ignore[arg-type]

    def _lists(self) -> list[list[dict[str, str]]]:
        warehouses: dict[str, list[str]] = {}
        for layer in LAYERS:
            warehouses.setdefault(self._warehouse(layer), []).append(layer)
        root = self.settings.snowflake.database.upper()
        personal = [
            {"personal_table": contract.table, "personal_column": column.name, "personal_kind": column.pii}
            for contract in self.contracts.values()
            for column in contract.columns
            if column.pii
        ]
        return [
            [
                {
                    "warehouse": name,
                    "size": max((SIZES[layer] for layer in layers), key=list(SIZES.values()).index),
                    "layers": ", ".join(layers),
                }
                for name, layers in warehouses.items()
            ],
            [{"team": team, "team_role": role_of(root, team)} for team in self.teams],
            [{"built_schema": schema} for schema in BUILT],
            [{"table": table} for table in self.contracts],
            [
                {"raw_table": tables.raw_table(contract).replace('"RAW".', f'{root}."RAW".', 1)}
                for contract in self.contracts.values()
            ],
            personal,
        ]


def role_of(root: str, team: str) -> str:
    """The reader role of a team. Raises ConfigError for a team without a letter in its name."""
    words = "_".join(re.findall(r"[A-Za-z0-9]+", team)).upper()
    try:
        return checked_name(f"{root.upper()}_READ_{words}") or ""
    except ValueError:
        raise ConfigError(f"team {team!r} gives no name of a role", remedy="rename the team in its segments") from None


def missing_grants(sessions: SnowflakeSessions, wanted: Iterable[Grant]) -> list[Grant]:
    """Those of `wanted` that the account does not have. Raises ConfigError where the session may not look."""
    given: dict[str, set[tuple[str, str, str]]] = {}
    lacking = []
    for grant in wanted:
        if grant.role not in given:
            given[grant.role] = granted_to(sessions, grant.role)
        held = given[grant.role]
        if not {(grant.privilege, grant.kind, grant.name), ("OWNERSHIP", grant.kind, grant.name)} & held:
            lacking.append(grant)
    return lacking


def granted_to(sessions: SnowflakeSessions, role: str) -> set[tuple[str, str, str]]:
    """(privilege, kind, name) of what a role holds by itself; nothing for a role that is not there."""
    try:
        found = sessions.arrow(f"show grants to role {role}").to_pylist()
    except ConfigError:
        return set()
    return {
        (row["privilege"].upper(), row["granted_on"].upper().replace("_", " "), row["name"].upper().replace('"', ""))
        for row in found
    }


def apply_scripts(sessions: SnowflakeSessions, scripts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Run the scripts, giving the name of each before it begins; every statement may be repeated."""
    for name, statements in scripts.items():
        yield name
        for statement in statements:
            sessions.execute(statement)
