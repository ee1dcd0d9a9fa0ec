"""The numbered templates of `deployments/snowflake` as statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from regulars.account.first_look import FirstLook
from regulars.account.plan import BUILT, LOADED, Account, account_folder, team_schema
from regulars.account.sql_text import Sql, name, number, only_safe, text, word
from regulars.errors import ConfigError

TITLE = re.compile(r"-- (?P<title>.*)")
AFTER_PUBLICATION = "after the first publication"  # in the title of a step that reads what is published


@dataclass(frozen=True)
class Step:
    """One template: `number` is of its file, `statements` in order."""

    number: str
    title: str
    statements: tuple[str, ...]

    @property
    def needs_publication(self) -> bool:
        return AFTER_PUBLICATION in self.title


def render(account: Account, only: str | None = None) -> list[Step]:
    """Every step, or one. Raises ConfigError where a name or value cannot stand in SQL, or the step is unknown."""
    folder = account_folder(account.settings)
    # Whatever a template puts into a statement goes through `only_safe`, also what somebody adds later.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(folder), undefined=StrictUndefined, finalize=only_safe, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"name": name, "text": text, "number": number, "word": word}
    environment.globals |= {
        "account": account, "name": name, "statement": Sql, "team_schema": team_schema, "loaded": [*LOADED], "built": [*BUILT],
        "first_look": FirstLook(account.contracts), "public_key": public_key,
    }  # fmt: skip
    found = [
        _step(path, environment.get_template(path.name).render())
        for path in sorted(folder.glob("[0-9][0-9]_*.sql"))
        if only is None or path.stem.startswith(only)
    ]
    if not found:
        known = ", ".join(path.stem for path in sorted(folder.glob("[0-9][0-9]_*.sql")))
        raise ConfigError(f"there is no step {only!r}", remedy=f"one of: {known}")
    return found


def split_statements(script: str) -> Iterator[str]:
    """Statements without comments. One ends with a semicolon at the end of a line; no value holds the end of a line."""
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("--"))
    for statement in "\n".join(lines).split(";\n"):
        if stripped := statement.strip().rstrip(";").strip():
            yield stripped


def public_key(path: Path) -> str:
    """The key of a PEM file as Snowflake wants it: one line, without its first and last. Raises ConfigError."""
    try:
        lines = path.expanduser().read_text().split()
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}", remedy="make it: openssl rsa -in key.p8 -pubout -out key.pub"
        ) from None
    body = "".join(re.sub(r"-----(BEGIN|END) PUBLIC KEY-----", "", " ".join(lines)).split())
    if "PRIVATE" in " ".join(lines) or not re.fullmatch(r"[A-Za-z0-9+/]+=*", body):
        raise ConfigError(f"{path} is no public key", remedy="make it: openssl rsa -in key.p8 -pubout -out key.pub")
    return body


def _step(path: Path, script: str) -> Step:
    title = TITLE.match(script)
    return Step(path.stem, title["title"] if title else path.stem, tuple(split_statements(script + "\n")))
