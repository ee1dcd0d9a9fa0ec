"""Landed files on their way into `raw` and `quarantine`: uploaded or read on S3, copied, counted."""

from __future__ import annotations

from regulars.contracts import Contract
from regulars.errors import ConfigError, EngineError
from regulars.manifest import Manifest
from regulars.settings import Settings
from regulars.storage import open_storage
from regulars.warehouse import snowflake_tables as tables
from regulars.warehouse.snowflake_session import SnowflakeSessions
from regulars.warehouse.snowflake_text import quote


class BatchLoader:
    """Loads batches of one landing. A folder is uploaded to an internal stage, `s3://` is read where it is."""

    def __init__(self, sessions: SnowflakeSessions, settings: Settings) -> None:
        self._sessions = sessions
        self._root = settings.landing_root
        self._storage = open_storage(settings.landing_root, settings.s3)
        self._integration = settings.snowflake.storage_integration
        self._first_row = 1

    @property
    def _is_local(self) -> bool:
        return not self._root.startswith("s3://")

    def make_stages(self) -> None:
        """The stages that files pass through. Raises ConfigError where Snowflake has no way to the landing."""
        self._sessions.execute(f"create stage if not exists {tables.UPLOADS}")
        if self._is_local:
            return
        if self._integration is None:
            raise ConfigError(
                f"Snowflake cannot read {self._root} without a storage integration",
                remedy="set REGULARS_SNOWFLAKE__STORAGE_INTEGRATION to one that covers the landing",
            )
        url = quote(self._root.rstrip("/") + "/")
        self._sessions.execute(
            f"create stage if not exists {tables.LANDING} url = {url} storage_integration = {self._integration}"
        )

    def upload(self, manifest: Manifest) -> None:
        """Bring the files of a local landing where Snowflake can read them; over what a killed run left there."""
        if self._is_local and (manifest.parts or manifest.rejects or manifest.replays):
            files = quote(f"file://{self._storage.url(manifest.folder)}/*.parquet")
            options = "auto_compress = false overwrite = true parallel = 8"
            self._sessions.execute(f"put {files} {self._location(manifest)} {options}")

    def copy(self, contract: Contract, manifest: Manifest) -> None:
        """Copy one batch inside a transaction. Raises EngineError where `raw` would not hold what was landed."""
        rows, first = self._copied(contract, manifest)
        if first == 0:  # Snowflake does not say whether it counts the records of a Parquet file from 0 or from 1
            self._first_row = 0
            self.delete(contract, manifest.batch_id)
            rows, first = self._copied(contract, manifest)
        if rows != manifest.rows_loaded:
            raise EngineError(
                f"{contract.table} for {manifest.as_of}: {rows} rows were copied, the manifest names {manifest.rows_loaded}",
                remedy="check that nobody else writes to the landing or its stage, then run again",
            )

    def delete(self, contract: Contract, batch_id: str) -> None:
        """Take the rows of a batch out of `raw` and `quarantine`."""
        for place, column in (
            (f"raw.{contract.table}", "_batch_id"),
            (tables.REJECTS_TABLE, "batch_id"),
            (tables.REPLAYS_TABLE, "replay_batch_id"),
        ):
            self._sessions.execute(f"delete from {place} where {column} = ?", [batch_id])

    def forget_upload(self, manifest: Manifest) -> None:
        """Remove what `upload` brought."""
        if self._is_local:
            self._sessions.execute(f"remove {self._location(manifest)}")

    def _copied(self, contract: Contract, manifest: Manifest) -> tuple[int, int | None]:
        """Rows of a batch after its files were copied, and their smallest record number."""
        for statement in tables.copies(contract, manifest, self._location(manifest), self._first_row):
            self._sessions.execute(statement)
        ((rows, first),) = self._sessions.query(
            f"select count(*), min(_record_number) from raw.{contract.table} where _as_of = ? and _batch_id = ?",
            [manifest.as_of, manifest.batch_id],
        )
        return rows, first

    def _location(self, manifest: Manifest) -> str:
        return f"@{tables.UPLOADS}/{manifest.batch_id}" if self._is_local else f"@{tables.LANDING}/{manifest.folder}"
