"""What was found, as files: contracts, sources.yml, staging models and their descriptions, each guess with its reason."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from regulars.contracts import IDENTIFIERS
from regulars.discovery.discover import Discovered
from regulars.discovery.found import ColumnFound, Guess, TableFound
from regulars.errors import ConfigError

HASHED = " and ".join(sorted(IDENTIFIERS))


def draft_files(found: Discovered) -> dict[Path, str]:
    """Text by path, relative to the folder of the draft."""
    folder = Path("staging") / found.group
    files = {
        Path("sources.yml"): sources_text(found),
        folder / f"_{found.group}__sources.yml": contracts_text(found),
        folder / f"_{found.group}__models.yml": models_text(found),
    }
    for table in found.tables:
        files[folder / f"{_model(found, table)}.sql"] = staging_text(found, table)
    return files


def write_draft(found: Discovered, out: Path, *, force: bool = False) -> list[Path]:
    """Write the files below `out`. Raises ConfigError, and writes none, where one is there already and `force` is not said."""
    files = draft_files(found)
    there = [out / path for path in files if (out / path).exists()]
    if there and not force:
        raise ConfigError(
            f"{there[0]} is there already{f', and {len(there) - 1} more' if len(there) > 1 else ''}; nothing was written",
            remedy="give another --out, or --force to write over them",
        )
    for path, text in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text)
    return [out / path for path in files]


def contracts_text(found: Discovered) -> str:
    """The dbt sources YAML of the group."""
    lines = [
        "# yaml-language-server: $schema=../../../contracts.schema.json",
        "version: 2",
        "",
        f"# Drafted by `regulars discover` from a sample of {found.connection_name}: guesses say why, and what waits for a person is",
        "# marked, until he decides and takes the mark away; `regulars validate` lists it. docs/contracts.md explains the fields.",
        "",
        "sources:",
        f"  - name: {_name(found.group)}",
        f"    description: {_described(f'Tables of {found.connection_name}.')}",
        "    schema: raw",
        "    config: {loaded_at_field: cast(_as_of as timestamp)}",
        "    tables:",
    ]
    for table in found.tables:
        lines += ["", *_contract_lines(table)]
    return "\n".join(lines).replace("    tables:\n\n", "    tables:\n") + "\n"


def _contract_lines(table: TableFound) -> list[str]:
    name = table.shelf.table
    meta = [
        f"key: [{', '.join(map(_name, table.key.value))}]{_note(f'key of {name}', table.key)}" if table.key.value else
        f"key: []{_note(f'key of {name}', table.key)}",
        f"mode: {table.mode.value}{_note(f'mode of {name}', table.mode)}",
        *([f"event_time: {_name(table.event_time.value)}{_note(f'event_time of {name}', table.event_time)}"]
          if table.event_time.value else []),
        f"owner: unknown  # TODO: owner of {name}: the team to ask when it is wrong",
        "duplicates: drop",
        "on_drift: freeze",
    ]  # fmt: skip
    return [
        f"      # {table.rows:,} rows of {table.shelf.of} were looked at.",
        f"      - name: {_name(name)}",
        f"        description: {_described('Rows of ' + _place(table) + '.')}  # TODO: description of {name}: what one row is",
        "        config:",
        "          freshness: {warn_after: {count: 2, period: day}, error_after: {count: 7, period: day}}",
        "          meta:",
        *(f"            {line}" for line in meta),
        "        columns:",
        *(line for column in table.columns for line in _column_lines(table, column)),
    ]


def _column_lines(table: TableFound, column: ColumnFound) -> list[str]:
    place = f"{table.shelf.table}.{column.name}"
    meta = []
    if column.required.value:
        meta.append(f"required: true{_note(place, column.required)}")
    if column.enum.value:
        listed = ", ".join(_text(code) for code in column.enum.value)
        meta.append(f"enum: [{listed}]{_note(place, column.enum)}")
    if column.least.value is not None:
        meta.append(f"min: {column.least.value}{_note(place, column.least)}")
    if column.pii.value:
        meta.append(f"pii: {column.pii.value}{_note(f'pii of {place}', column.pii)}")
    ask = [f"            # TODO: pii of {place}: {column.pii.ask}"] if column.pii.ask and not column.pii.value else []
    return [
        f"          - name: {_name(column.name)}",
        f"            description: {_described(f'{column.source_name} of {_place(table)}, as found.')}",
        f"            data_type: {column.data_type.value}{_note(f'data_type of {place}', column.data_type)}",
        *ask,
        *(["            config:", "              meta:"] if meta else []),
        *(f"                {line}" for line in meta),
    ]


def sources_text(found: Discovered) -> str:
    """The entries of sources.yml."""
    facts = {key: value for key, value in found.connection.model_dump().items() if value}
    lines = [
        "# Drafted by `regulars discover`; docs/sources.md lists the fields. Take the entries over into your sources.yml.",
        "",
        "connections:",
        f"  {_name(found.connection_name)}: {{{', '.join(f'{key}: {_flow(value)}' for key, value in facts.items())}}}",
        "",
        "tables:",
    ]
    for table in found.tables:
        lines += [f"  {_name(table.shelf.table)}:", f"    from: {_name(found.connection_name)}"]
        lines += [f"    {field}: {_text(value)}  # {table.shelf.of}" for field, value in table.shelf.entry.items()]
        if table.read:
            whys = dict(why.split(": ", 1) for why in table.read_why if ": " in why)
            lines.append("    read:")
            lines += [
                f"      {option}: {_flow(value)}" + (f"  # guess: {whys[option]}" if option in whys else "")
                for option, value in table.read.items()
            ]
        renamed = [column for column in table.columns if column.name != column.source_name.lower()]
        if renamed:
            lines.append("    columns:")
            lines += [f"      {_name(column.name)}: {_text(_named(column.source_name))}" for column in renamed]
    return "\n".join(lines) + "\n"


def staging_text(found: Discovered, table: TableFound) -> str:
    """The staging model: personal columns stay in raw, identifying ones as their pseudonym."""
    kept, left = [], []
    for column in table.columns:
        if column.pii.value in IDENTIFIERS:
            kept.append(f"{column.name}_hash")
        elif column.pii.value:
            left.append(f"{column.name} ({column.pii.value})")
        else:
            kept.append(column.name)
        if column.name == table.event_time.value and column.data_type.value == "timestamp":
            day = f"{column.name.removesuffix('_at')}_on"
            names = {other.name for other in table.columns}
            kept += [f"{{{{ business_date('{column.name}') }}}} as {day}"] if day not in names else []
    lines = [
        "with landed as (",
        f"    {{{{ landed_versions('{found.group}', '{table.shelf.table}') }}}}",
        ")",
        "",
        *([f"-- personal, and so not here: {', '.join(left)}"] if left else []),
        "select",
        *(f"    {item}," for item in kept),
        "    landed_on",
        "from landed",
    ]
    return "\n".join(lines) + "\n"


def models_text(found: Discovered) -> str:
    """Descriptions of the staging models, which the project's tests ask for."""
    lines = ["version: 2", "", "models:"]
    for table in found.tables:
        grain = (
            f"one row per {', '.join(table.key.value)} and landed_on" if table.key.value else "one row per landed row"
        )
        lines += [
            f"  - name: {_model(found, table)}",
            f"    description: {_described(f'Rows of {_place(table)}. Grain: {grain}.')}",
            "    columns:",
        ]
        for column in table.columns:
            if column.pii.value and column.pii.value not in IDENTIFIERS:
                continue
            shown = f"{column.name}_hash" if column.pii.value else column.name
            what = f"Keyed hash of {column.name}." if column.pii.value else f"{column.source_name}, as found."
            lines += [f"      - name: {_name(shown)}", f"        description: {_described(what)}"]
        lines += ["      - name: landed_on", "        description: \"{{ doc('landed_on') }}\"", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _model(found: Discovered, table: TableFound) -> str:
    return f"stg_{found.group}__{table.shelf.table}"


def _place(table: TableFound) -> str:
    return str(table.shelf.entry.get("path") or table.shelf.entry.get("table"))


def _note(place: str, guess: Guess[Any]) -> str:
    """The comment of a line: what a person has to decide, else why it says what it says."""
    if guess.ask:
        return f"  # TODO: {place}: {guess.ask}" + (f" (guess: {guess.why})" if guess.why else "")
    return f"  # guess: {guess.why}" if guess.why else ""


def _named(source_name: str) -> str:
    """A source column as `columns` takes it: one called null is written as a quoted name."""
    return f'"{source_name}"' if source_name.strip().lower() == "null" else source_name


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _name(text: str) -> str:
    """A name as YAML takes it for text: `no`, `on` and the like would be booleans."""
    return text if yaml.safe_load(text) == text else _text(text)


def _described(text: str) -> str:
    """A description; dbt would run what stands in double braces."""
    return _text(re.sub(r"\{(?=[{%#])", "{ ", text))


def _flow(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
