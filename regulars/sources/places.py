"""Where files lie: finding them by path or glob in a folder or on S3, and bringing S3 objects into the spool."""

from __future__ import annotations

import fnmatch
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pyarrow import fs

from regulars.errors import ConfigError, NoSuchFile, SourceError, TransientError
from regulars.settings import S3Settings
from regulars.sources.base import Request
from regulars.sources.options import checked

GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class SourceFile:
    """A file to read: `name` as quarantine and manifest show it, `path` where it lies, `bytes` its size."""

    name: str
    path: str
    bytes: int


def find_files(request: Request, path: str) -> list[SourceFile]:
    """Files of a path with `{as_of}` and globs, by name. Raises SourceError that names what is missing."""
    base, full = full_path(request, path)
    found = _on_s3(request, base, full) if full.startswith("s3://") else _in_folder(request, base, full)
    if not found:
        raise no_file(request, full)
    return sorted(found, key=lambda file: file.name)


def full_path(request: Request, path: str) -> tuple[str, str]:
    """The connection's path and, below it, the path or pattern of a table's files, for the day of the request."""
    base = request.fill(request.connection.path or "")
    wanted = request.fill(path)
    full = wanted if not base or "://" in wanted or wanted.startswith("/") else f"{base.rstrip('/')}/{wanted}"
    return base, full


def no_file(request: Request, full: str) -> NoSuchFile:
    """The error for a path or pattern under which nothing lies."""
    return NoSuchFile(
        f"table {request.table}, day {request.as_of}: no file {full}",
        remedy="deliver the file, or correct path under connections or tables in sources.yml; "
        "required: false lets a run go on without it",
    )


def is_wanted(found: str, key: str) -> bool:
    """Whether an object on S3 is the one, or one of those, that a path or pattern means; `*` stays within a folder."""
    return found == key or (found.count("/") == key.count("/") and fnmatch.fnmatchcase(found, key))


def fetch(request: Request, file: SourceFile, target: Path) -> Path:
    """The file itself where it is local, else a copy of the S3 object at `target`."""
    if not file.path.startswith("s3://"):
        return Path(file.path)
    try:
        with (
            _s3(request).open_input_stream(file.path.removeprefix("s3://"), compression=None) as stream,
            open(target, "wb") as copy,
        ):
            shutil.copyfileobj(stream, copy, 8 << 20)
    except OSError as error:
        raise _s3_error(file.path, error) from None
    return target


def _in_folder(request: Request, base: str, full: str) -> list[SourceFile]:
    anchor = request.base_dir
    try:
        if GLOB.search(full):
            parts = Path(full).expanduser().parts
            fixed = next(index for index, part in enumerate(parts) if GLOB.search(part))
            paths = list(anchor.joinpath(*parts[:fixed]).glob(str(Path(*parts[fixed:]))))
        else:
            paths = [anchor / Path(full).expanduser()]
        root = anchor / Path(base).expanduser()
        return [_found(path, root) for path in paths if path.is_file() and not path.name.startswith(".")]
    except (OSError, ValueError, RuntimeError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(
            f"table {request.table}: {full[:200]} is not a path that can be looked up: {said}",
            remedy=f"correct path of {request.entry} or of its connection in sources.yml",
        ) from None


def _found(path: Path, root: Path) -> SourceFile:
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise SourceError(
            f"a file's name is not UTF-8 text: {shown}",
            remedy="rename it, or keep it out of path in sources.yml",
        ) from None
    return SourceFile(name, str(path), path.stat().st_size)


def _on_s3(request: Request, base: str, full: str) -> list[SourceFile]:
    key = full.removeprefix("s3://")
    client = _s3(request)
    try:
        if GLOB.search(key):
            folder = GLOB.split(key, maxsplit=1)[0].rsplit("/", 1)[0]
            infos = client.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True))
            infos = [info for info in infos if is_wanted(info.path, key)]
        else:
            infos = [client.get_file_info(key)]
    except OSError as error:
        raise _s3_error(full, error) from None
    prefix = base.removeprefix("s3://").rstrip("/") + "/" if base else ""
    return [
        SourceFile(info.path.removeprefix(prefix), f"s3://{info.path}", info.size)
        for info in infos
        if info.type == fs.FileType.File
    ]


def _s3(request: Request) -> fs.S3FileSystem:
    """Access by the connection's own options, each falling back to the settings'."""
    known = {key: value for key, value in request.connection.options.items() if key in S3Settings.model_fields}
    given = {**request.settings.s3.model_dump(), **known}
    s3 = checked(S3Settings, given, f"connections.{request.source.connection}.options")
    address = urlsplit(s3.endpoint) if s3.endpoint else None
    return fs.S3FileSystem(
        access_key=s3.access_key_id,
        region=s3.region,
        secret_key=s3.secret_access_key.get_secret_value() if s3.secret_access_key else None,
        session_token=s3.session_token.get_secret_value() if s3.session_token else None,
        endpoint_override=address.netloc if address else None,
        scheme=address.scheme if address else "https",
        request_timeout=120,
        connect_timeout=20,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=5),
    )


def _s3_error(place: str, error: OSError) -> SourceError | TransientError:
    text = str(error)
    if "ACCESS_DENIED" in text or "HTTP status 403" in text:
        return SourceError(
            f"S3 refused access to {place}", remedy="check the credentials and policy of this connection"
        )
    if "NO_SUCH_BUCKET" in text or "HTTP status 404" in text or isinstance(error, FileNotFoundError):
        return SourceError(f"{place} does not exist", remedy="correct the path in sources.yml, or deliver the file")
    return TransientError(
        f"S3 did not answer as it should for {place}", remedy="check endpoint and network, then run again"
    )
