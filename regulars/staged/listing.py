"""Which files a stage holds: listed by Snowflake, and pinned by name, size and etag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from regulars.errors import ContractError, TransientError
from regulars.sources.base import Request
from regulars.sources.places import GLOB, full_path, is_wanted, no_file
from regulars.warehouse.snowflake_text import quote


class Session(Protocol):
    """What is asked of a session with Snowflake; both the warehouse and bare sessions are one."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None: ...


@dataclass(frozen=True)
class StagedFile:
    """A file of a stage: `name` as quarantine and manifest show it, `key` below the stage, `etag` as S3 gives it."""

    name: str
    key: str
    bytes: int
    etag: str

    def pinned(self) -> dict[str, Any]:
        """Facts for the manifest."""
        return {"file": self.name, "bytes": self.bytes, "etag": self.etag}


@dataclass(frozen=True)
class StagePlace:
    """A folder on S3 as a temporary stage; `base` is the path of the connection, `full` the path or pattern asked for."""

    stage: str
    base: str
    full: str

    @property
    def folder(self) -> str:
        """The last folder above every file that is asked for, with its slash: less is listed than below `base`."""
        return GLOB.split(self.full, maxsplit=1)[0].rpartition("/")[0] + "/"

    def name_of(self, url: str) -> str:
        """Name of a file as the other readers of kind `files` give it."""
        return url.removeprefix(self.base.rstrip("/") + "/") if self.base else url.removeprefix("s3://")

    def named(self, column: str) -> str:
        """SQL of that name over a column of Snowflake's, which gives the address, the key, or the path in the stage."""
        root = self.name_of(self.folder)
        cases = [
            f"when startswith({column}, {quote(prefix)}) then substr({column}, {len(prefix) + 1})"
            for prefix in (self.folder, self.folder.removeprefix("s3://").partition("/")[2])
            if prefix
        ]
        return f"{quote(root)} || case {' '.join(cases)} else {column} end"


def stage_place(request: Request) -> StagePlace:
    """Where the files of a request lie."""
    base, full = full_path(request, request.source.path or "")
    return StagePlace(f"raw._stage_{request.table}", base, full)


def open_stage(request: Request, session: Session) -> StagePlace:
    """Make the stage, which ends with the session."""
    place = stage_place(request)
    integration = request.settings.snowflake.storage_integration
    session.execute(
        f"create or replace temporary stage {place.stage} url = {quote(place.folder)} storage_integration = {integration}"
    )
    return place


def list_files(request: Request, place: StagePlace, session: Session) -> list[StagedFile]:
    """The files asked for, by name. Raises SourceError where there is none, ContractError for an empty one."""
    found = _listed(place, session)
    if not found:
        raise no_file(request, place.full)
    for file in found:
        if not file.bytes:
            raise ContractError(
                f"{file.name} is empty: not even a header",
                remedy="have it delivered again; a day without rows still needs the header line",
            )
    return found


def _listed(place: StagePlace, session: Session) -> list[StagedFile]:
    wanted = place.full.removeprefix("s3://")
    found = [
        StagedFile(place.name_of(str(url)), str(url).removeprefix(place.folder), int(size), str(etag))
        for url, size, etag, *_ in session.query(f"list @{place.stage}")
        if is_wanted(str(url).removeprefix("s3://"), wanted)
    ]
    return sorted(found, key=lambda file: file.name)


def check_unchanged(request: Request, place: StagePlace, session: Session, before: list[StagedFile]) -> None:
    """Raise TransientError unless the same files lie there as before: what was read may be of either state."""
    now = {file.name: file for file in _listed(place, session)}
    then = {file.name: file for file in before}
    changed = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise TransientError(
            f"table {request.table}: {', '.join(changed[:3])}{more} changed while it was read; nothing of it was landed",
            remedy="run again once the files are whole: write new ones beside, never over those of a day that is read",
        )
