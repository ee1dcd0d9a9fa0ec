"""The url and options of a connection of kind `sql`: which engine, where, and how long to wait."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import quote as percent
from urllib.parse import urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from regulars.engine import quote
from regulars.errors import ConfigError
from regulars.sources.config import Connection
from regulars.sources.sql_dialects import DIALECTS, SCHEMES, Dialect

PASSED_ON = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout")  # of a libpq address
REMEDY = (
    "mysql://user:password@host:3306/database, with @ : / ? # % of the password written as %40 %3A %2F %3F %23 %25; "
    "engines: " + ", ".join(sorted(SCHEMES))
)


@dataclass(frozen=True)
class Address:
    """Where and how to ask. `url` holds the login and is never shown; `place` is what messages say instead."""

    dialect: Dialect
    url: str = field(repr=False)
    place: str
    before: tuple[str, ...]
    batch_rows: int
    statement_timeout: float
    silence_timeout: float


def address_of(name: str, connection: Connection) -> Address:
    """The address of the connection called `name`. Raises ConfigError, without repeating the url."""
    given = urlsplit(connection.url or "")
    dialect = DIALECTS.get(SCHEMES.get(given.scheme, ""))
    if dialect is None:
        raise ConfigError(f"sources.yml: connections.{name}.url: kind sql needs the url of a database", remedy=REMEDY)
    limit = _number(name, connection, "statement_timeout_seconds", 0)
    try:
        made = _postgres(connection.url or "") if dialect is DIALECTS["postgresql"] else _other(connection.url or "")
    except (ValueError, psycopg.ProgrammingError):
        raise ConfigError(f"sources.yml: connections.{name}.url is not a url", remedy=REMEDY) from None
    address = Address(
        dialect,
        made[0],
        f"{dialect.title} at {made[1]}",
        tuple(dialect.before(limit)),
        int(_number(name, connection, "fetch_size", 20_000)) or 20_000,
        limit,
        _number(name, connection, "silence_timeout_seconds", 600),
    )
    return _in_snapshot(name, connection, address)


def _in_snapshot(name: str, connection: Connection, address: Address) -> Address:
    snapshot = connection.options.get("snapshot")
    is_asked = snapshot or connection.options.get("one_snapshot")
    if is_asked and address.dialect is not DIALECTS["postgresql"]:
        raise ConfigError(
            f"sources.yml: connections.{name}.options.one_snapshot: {address.dialect.title} does not lend a snapshot to "
            "several connections",
            remedy="leave it out: each table is read by one statement, and so shows one moment",
        )
    if not snapshot:
        return address
    join = (
        "begin transaction isolation level repeatable read, read only",
        f"set transaction snapshot {quote(str(snapshot))}",
    )
    return replace(address, before=(*address.before, *join))


def _postgres(url: str) -> tuple[str, str]:
    """The url as the reader takes it, in which also the folder of a socket is a host."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    host, database = parts.get("host") or "localhost", parts.get("dbname", "")
    if "@" in host or "@" in database:
        raise ValueError
    login = percent(parts.get("user", ""), safe="")
    if "password" in parts:
        login += ":" + percent(parts["password"], safe="")
    where = f"{percent(host, safe='')}{':' + parts['port'] if 'port' in parts else ''}"
    rest = urlencode({key: parts[key] for key in PASSED_ON if key in parts})
    made = f"postgresql://{login}{'@' if login else ''}{where}/{percent(database, safe='')}{'?' + rest if rest else ''}"
    return made, f"{host}/{database}"


def _other(url: str) -> tuple[str, str]:
    given = urlsplit(url)
    scheme = SCHEMES[given.scheme]
    database = given.path.lstrip("/")
    if not given.hostname or not database or "@" in given.hostname + database:
        raise ValueError
    port = f":{given.port or DIALECTS[scheme].port}"
    login = given.netloc.rpartition("@")[0]
    if "@" in login:
        raise ValueError
    netloc = f"{login}{'@' if login else ''}{given.hostname}{port}"
    return urlunsplit((scheme, netloc, given.path, given.query, "")), f"{given.hostname}/{database}"


def _number(name: str, connection: Connection, option: str, default: float) -> float:
    given = connection.options.get(option)
    try:
        number = default if given is None else float(str(given))
        if not 0 <= number < 2**31 / 1000:
            raise ValueError
    except ValueError:
        raise ConfigError(
            f"sources.yml: connections.{name}.options.{option} is not a number", remedy="such as 600"
        ) from None
    return number
