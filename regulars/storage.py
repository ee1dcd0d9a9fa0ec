"""Landings, deliveries and documents on a folder or on `s3://`: whole objects appear at once or not at all."""

from __future__ import annotations

import io
import os
import re
import shutil
import uuid
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from pyarrow import fs

from regulars.errors import ConfigError, TransientError
from regulars.settings import S3Settings

AWS_ERROR = re.compile(r"AWS Error \w+( \(HTTP status \d+\))? during \w+ operation")


class Storage(Protocol):
    """A tree of immutable files; `path` arguments are relative and use `/`."""

    root: str

    def url(self, path: str) -> str:
        """Address that DuckDB can read."""

    def write_bytes(self, path: str, data: bytes) -> None:
        """Write one file so that readers see all of it or nothing."""

    def put_file(self, local: Path, path: str) -> None:
        """Move a local file in, whole or not at all; `local` is gone afterwards."""

    def read_bytes(self, path: str) -> bytes: ...

    def exists(self, path: str) -> bool: ...

    def names(self, path: str) -> list[str]:
        """Sorted names of files and folders directly below `path`; empty where there is none."""

    def delete_tree(self, path: str) -> None:
        """Remove a folder and everything in it; no error where there is none."""


class FolderStorage:
    """Storage below a local folder; files are written beside their place, flushed and renamed."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self._root = root

    def url(self, path: str) -> str:
        return str(self._root / path)

    def write_bytes(self, path: str, data: bytes) -> None:
        target, draft = self._draft(path)
        with open(draft, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._settle(draft, target)

    def put_file(self, local: Path, path: str) -> None:
        target, draft = self._draft(path)
        try:
            os.rename(local, draft)
        except OSError:  # another file system
            shutil.copyfile(local, draft)
            local.unlink()
        with open(draft, "rb+") as file:
            os.fsync(file.fileno())
        self._settle(draft, target)

    def read_bytes(self, path: str) -> bytes:
        return (self._root / path).read_bytes()

    def exists(self, path: str) -> bool:
        return (self._root / path).exists()

    def names(self, path: str) -> list[str]:
        folder = self._root / path
        return (
            sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
            if folder.is_dir()
            else []
        )

    def delete_tree(self, path: str) -> None:
        shutil.rmtree(self._root / path, ignore_errors=True)

    def _draft(self, path: str) -> tuple[Path, Path]:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target, target.with_name(f".{target.name}.{uuid.uuid4().hex}")

    @staticmethod
    def _settle(draft: Path, target: Path) -> None:
        os.replace(draft, target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name itself must survive a power cut
        finally:
            os.close(folder)


class S3Storage:
    """Storage below `s3://bucket/prefix`; an object exists once its upload is complete."""

    def __init__(self, url: str, s3: S3Settings) -> None:
        parts = urlsplit(url)
        self.root = url.rstrip("/")
        self._prefix = f"{parts.netloc}{parts.path}".rstrip("/")
        secret = s3.secret_access_key.get_secret_value() if s3.secret_access_key else None
        token = s3.session_token.get_secret_value() if s3.session_token else None
        endpoint = urlsplit(s3.endpoint) if s3.endpoint else None
        self._fs = fs.S3FileSystem(
            access_key=s3.access_key_id, secret_key=secret, session_token=token, region=s3.region,
            endpoint_override=endpoint.netloc if endpoint else None, scheme=endpoint.scheme if endpoint else "https",
            request_timeout=120, connect_timeout=20, retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=5),
            allow_delayed_open=True,  # a small file is one request: a kill leaves no half-done upload in the bucket
        )  # fmt: skip

    def url(self, path: str) -> str:
        return f"{self.root}/{path}"

    def write_bytes(self, path: str, data: bytes) -> None:
        with self._answering(path), self._fs.open_output_stream(self._key(path)) as stream:
            stream.write(data)

    def put_file(self, local: Path, path: str) -> None:
        with self._answering(path), open(local, "rb") as file, self._fs.open_output_stream(self._key(path)) as stream:
            shutil.copyfileobj(file, stream, 8 << 20)
        local.unlink()

    def read_bytes(self, path: str) -> bytes:
        with self._answering(path), self._fs.open_input_stream(self._key(path)) as stream:
            return bytes(stream.readall())

    def exists(self, path: str) -> bool:
        with self._answering(path):
            return bool(self._fs.get_file_info(self._key(path)).type != fs.FileType.NotFound)

    def names(self, path: str) -> list[str]:
        with self._answering(path):
            found = self._fs.get_file_info(fs.FileSelector(self._key(path), allow_not_found=True))
        return sorted(info.base_name for info in found)

    def delete_tree(self, path: str) -> None:
        with self._answering(path):
            self._fs.delete_dir_contents(self._key(path), missing_dir_ok=True)

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{path}".rstrip("/")

    def _answering(self, path: str) -> _S3Errors:
        return _S3Errors(self.url(path))


class EncryptedS3Storage(S3Storage):
    """S3Storage that asks for server-side encryption with each object, which Arrow's client cannot."""

    def __init__(self, url: str, s3: S3Settings) -> None:
        super().__init__(url, s3)
        import boto3  # slow to import, and seldom needed
        from botocore.config import Config

        secret, token = s3.secret_access_key, s3.session_token
        self._client = boto3.client(
            "s3", endpoint_url=s3.endpoint, region_name=s3.region, aws_access_key_id=s3.access_key_id,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            aws_session_token=token.get_secret_value() if token else None,
            config=Config(retries={"max_attempts": 5, "mode": "standard"}, connect_timeout=20, read_timeout=120),
        )  # fmt: skip
        self._asked = {"ServerSideEncryption": str(s3.encryption)}
        if s3.kms_key_id:
            self._asked["SSEKMSKeyId"] = s3.kms_key_id

    def write_bytes(self, path: str, data: bytes) -> None:
        self._upload(io.BytesIO(data), path)

    def put_file(self, local: Path, path: str) -> None:
        with open(local, "rb") as file:
            self._upload(file, path)
        local.unlink()

    def _upload(self, file: BinaryIO, path: str) -> None:
        from boto3.exceptions import S3UploadFailedError
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = self._key(path).split("/", 1)
        try:
            self._client.upload_fileobj(file, bucket, key, ExtraArgs=self._asked)
        except (BotoCoreError, ClientError, S3UploadFailedError):
            raise TransientError(
                f"S3 did not take {self.url(path)}",
                remedy="check bucket, key of encryption and credentials (REGULARS_S3__*), then run again",
            ) from None


class _S3Errors:
    """Turns what the S3 client raises into TransientError, without request details that may hold credentials."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            said = AWS_ERROR.search(str(error))  # never what the server says after it, which may repeat the request
            raise TransientError(
                f"S3 did not answer as it should for {self._url}{f': {said[0]}' if said else ''}",
                remedy="check endpoint, bucket and credentials (REGULARS_S3__*), then run again",
            ) from None


def open_storage(url: str, s3: S3Settings) -> Storage:
    """Storage for a folder path or an `s3://bucket/prefix` URL. Raises ConfigError for any other scheme."""
    scheme = urlsplit(url).scheme
    if scheme == "s3":
        return EncryptedS3Storage(url, s3) if s3.encryption else S3Storage(url, s3)
    if scheme and len(scheme) > 1:
        raise ConfigError(
            f"{scheme}:// is not a place for landings or deliveries", remedy="give a folder or an s3:// URL"
        )
    return FolderStorage(Path(url).expanduser().absolute())
