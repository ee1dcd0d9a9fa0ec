"""What an installation lacks before a flow would find out: settings, places, versions, access and privileges."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator

import duckdb

from regulars.account.apply import account_session
from regulars.account.check import check_grants
from regulars.account.grants import Ask, Grant
from regulars.contracts import read_contracts
from regulars.engine import EXTENSIONS, load_extension
from regulars.errors import RegularsError
from regulars.extras import judge_extras
from regulars.findings import Finding
from regulars.settings import PROJECT_DIR, Settings
from regulars.sheet_contracts import read_sheet_contracts
from regulars.snowflake_settings import LAYERS, SnowflakeSettings
from regulars.sources.config import ResolveBlock, read_sources
from regulars.stages import read_stages
from regulars.storage import open_storage
from regulars.warehouse.base import SCHEMAS

LEAST_FREE_BYTES = 5 * 10**9
PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)$", re.MULTILINE)
WATCHED = (
    "duckdb",
    "dbt-core",
    "dbt-duckdb",
    "dbt-snowflake",
    "snowflake-connector-python",
    "prefect",
    "great-expectations",
    "connectorx",
    "airbyte-api",
    "matplotlib",
    "scikit-learn",
    "scipy",
    "statsforecast",
    "tableauhyperapi",
)
Check = Callable[[], Iterator[Finding]]


def examine(settings: Settings, resolve_block: ResolveBlock | None = None) -> list[Finding]:
    """Everything that can be looked at without reading a source. A check that fails in itself is a finding, too."""
    checks: list[tuple[str, Check]] = [
        ("versions", _versions),
        ("home", lambda: _home(settings)),
        ("contracts and sources", lambda: _sources(settings, resolve_block)),
        ("pseudonym key", lambda: _pseudonym_key(settings)),
        ("landing", lambda: _place(settings, "landing", settings.landing_root)),
        ("deliveries", lambda: _place(settings, "delivery", settings.delivery_root)),
    ]
    checks.append(
        ("DuckDB", lambda: _duckdb(settings))
        if settings.warehouse == "duckdb"
        else ("Snowflake", lambda: _snowflake(settings))
    )
    found: list[Finding] = []
    for label, check in checks:
        try:
            found += check()
        except RegularsError as error:
            found.append(Finding(f"{label}: {error.message}", False, error.remedy))
        except OSError as error:
            found.append(
                Finding(f"{label}: {error.strerror}: {error.filename}", False, "correct the setting, or the rights")
            )
    return found


def _versions() -> Iterator[Finding]:
    """The interpreter, and packages beside those that the project is tested with."""
    yield Finding(
        f"Python {sys.version_info.major}.{sys.version_info.minor}",
        sys.version_info[:2] in ((3, 11), (3, 12)),
        "use Python 3.11",
    )
    pinned = dict(PINNED.findall((PROJECT_DIR / "constraints.txt").read_text()))
    for package in WATCHED:
        try:
            here = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue  # of an extra that is not installed; who needs it is told below
        tested = pinned.get(package, here)
        remedy = f"tested with {tested}: pip install --constraint constraints.txt ..."
        yield Finding(f"{package} {here}", here == tested, remedy)


def _home(settings: Settings) -> Iterator[Finding]:
    """The folder takes files and hard links, and has room."""
    home = settings.home_dir
    home.mkdir(parents=True, exist_ok=True)
    probe = home / f".doctor.{uuid.uuid4().hex}"
    try:
        probe.write_text("")
        os.link(probe, probe.with_suffix(".link"))
    finally:
        for path in (probe, probe.with_suffix(".link")):
            path.unlink(missing_ok=True)
    yield Finding(f"{home} takes files", True)
    free = shutil.disk_usage(home).free
    yield Finding(
        f"{free / 1e9:,.1f} GB free in {home}", free >= LEAST_FREE_BYTES, "make room: landing and building need some"
    )


def _sources(settings: Settings, resolve_block: ResolveBlock | None) -> Iterator[Finding]:
    """Contracts and sources.yml hold, the secrets that it names are there, and so are the extras that reading and refreshing need."""
    contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
    yield Finding(f"{len(contracts)} contracts", True)
    sources = read_sources(settings.sources_path, contracts, resolve_block, sheets=read_sheet_contracts(settings))
    listed = f"{len(sources.tables)} tables" + (f" and {len(sources.sheets)} sheets" if sources.sheets else "")
    yield Finding(f"{settings.sources_path}: {listed}, their secrets are there", True)
    yield from judge_extras(settings, sources, read_stages(settings.dbt_project_dir, contracts))


def _pseudonym_key(settings: Settings) -> Iterator[Finding]:
    path = settings.home_dir / "pseudonym.key"
    if settings.pseudonym_key is not None:
        yield Finding("pseudonym key from REGULARS_PSEUDONYM_KEY", True)
    elif settings.warehouse == "snowflake":
        yield Finding("pseudonym key", False, "set REGULARS_PSEUDONYM_KEY, and keep it: a worker's home does not last")
    elif path.exists():
        is_closed = path.stat().st_mode & 0o077 == 0
        yield Finding(f"{path} is for its owner alone", is_closed, f"chmod 600 {path}")


def _place(settings: Settings, purpose: str, url: str) -> Iterator[Finding]:
    """A place of files can be written, read and cleared."""
    storage = open_storage(url, settings.s3)
    probe = f"_doctor/{uuid.uuid4().hex}"
    storage.write_bytes(probe, b"regulars")
    is_same = storage.read_bytes(probe) == b"regulars"
    storage.delete_tree("_doctor")
    yield Finding(
        f"{purpose} {url} takes files", is_same, "another program writes there: give the project a prefix of its own"
    )


def _duckdb(settings: Settings) -> Iterator[Finding]:
    """Extensions load without a network, and a warehouse that is there opens in the zone of the settings."""
    with duckdb.connect() as engine:
        engine.execute("set autoinstall_known_extensions = false")
        for extension in EXTENSIONS:
            load_extension(engine, extension)
    yield Finding(f"DuckDB {duckdb.__version__} with {', '.join(EXTENSIONS)}", True)
    if settings.warehouse_path.exists():
        try:
            with duckdb.connect(str(settings.warehouse_path), read_only=True) as engine:
                rows = engine.execute("select value from ops.properties where name = 'timezone'").fetchall()
        except duckdb.IOException:
            yield Finding(
                f"{settings.warehouse_path} is not open elsewhere", False, "a run is writing: look again when it ended"
            )
            return
        except duckdb.CatalogException:
            rows = []
        kept = rows[0][0] if rows else settings.timezone
        yield Finding(f"business days of {kept}", kept == settings.timezone, f"set REGULARS_TIMEZONE={kept}")


def _snowflake(settings: Settings) -> Iterator[Finding]:
    """Login, virtual warehouse, and the privileges of the role that flows run as."""
    access = settings.snowflake
    if settings.landing_root.startswith("s3://"):
        remedy = "set REGULARS_SNOWFLAKE__STORAGE_INTEGRATION"
        yield Finding("a storage integration for the landing", access.storage_integration is not None, remedy)
    with account_session(access, access.role) as ask:
        yield Finding(f"login to {access.account}", True)
        ((role,),) = [tuple(row.values()) for row in ask("select current_role()")]
        yield from engine_findings(access, str(role), ask)


def engine_findings(access: SnowflakeSettings, role: str, ask: Ask) -> Iterator[Finding]:
    """What the role needs of these settings, and does not have."""
    warehouses = {found for layer in LAYERS if (found := access.warehouse_of(layer))}
    if not warehouses:
        yield Finding("a virtual warehouse", False, "set REGULARS_SNOWFLAKE__WAREHOUSE")
    yield from check_grants(role, engine_needs(access, role, sorted(warehouses)), ask)


def engine_needs(access: SnowflakeSettings, role: str, warehouses: list[str]) -> list[Grant]:
    """The privileges that flows use; what they make they own."""
    work, published = access.database, access.readers_database
    needs = [Grant("USAGE", "DATABASE", (work,), role)]
    needs += [
        Grant(privilege, "SCHEMA", (work, schema), role)
        for schema in SCHEMAS
        for privilege in ("USAGE", "CREATE TABLE", "CREATE VIEW", *(("CREATE STAGE",) if schema == "raw" else ()))
    ]
    needs += [Grant(privilege, "DATABASE", (published,), role) for privilege in ("USAGE", "CREATE SCHEMA")]
    needs += [Grant("USAGE", "WAREHOUSE", (warehouse,), role) for warehouse in warehouses]
    if access.storage_integration:
        needs.append(Grant("USAGE", "INTEGRATION", (access.storage_integration,), role))
    return needs
