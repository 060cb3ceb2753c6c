"""dlt's destination Postgres, its jobs connecting by this process's door to ADBC.

Left to itself, dlt opens what ADBC calls a database for every file, and ADBC then reads the description of every column
that Postgres has: 1.2 s with the tables of 160 stores, twenty times a run.
"""

from __future__ import annotations

from typing import Any

from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient, PostgresParquetCopyJob

from courier.storage.postgres import streams


class _Job(PostgresParquetCopyJob):  # type: ignore[misc]
    def _connect(self) -> Any:
        return streams.connect(self._job_client.config.credentials.to_native_representation())


class _Client(PostgresClient):  # type: ignore[misc]
    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        if ParsedLoadJobFileName.parse(file_path).file_format == "parquet":
            return _Job(file_path)
        return super().create_load_job(table, file_path, load_id, restore)


class Landing(postgres):  # type: ignore[misc]
    """`dlt.destinations.postgres`, but for how parquet files are copied."""

    @property
    def client_class(self) -> type[Any]:
        return _Client
