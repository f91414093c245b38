"""Taking up the feature tables that the Spark job left, instead of computing them here."""

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from endcap.core.errors import DataRejected
from endcap.core.files import replacing_folder
from endcap.core.log import get_logger
from endcap.features.computing import FeatureSummary
from endcap.features.duckdb_engine import ROW_GROUP_ROWS
from endcap.features.manifest import MANIFEST_NAME, FeatureManifest, dataset_fingerprint, features_fingerprint, parse_manifest
from endcap.features.names import FEATURE_TABLES
from endcap.features.snapshots import FeatureOptions


def take_up_computed(computed: str, dataset_dir: Path, out_dir: Path, options: FeatureOptions) -> FeatureSummary | None:
    """Bring computed tables into the form of `build_feature_tables`: a folder with one file a table.

    Args:
        computed: the job's `--out`: a folder, or an address that Arrow reads, such as s3://bucket/features.
        dataset_dir: the dataset that features are wanted of.
        out_dir: the folder to make or replace.
        options: which snapshots are wanted.

    Returns:
        What was taken up; None when the job left nothing yet, or tables of another dataset, other options or another version of endcap.

    Raises:
        DataRejected: the tables are no Parquet files, or not those that `features.json` tells of.
    """
    source = _Computed(computed)
    wanted = features_fingerprint(dataset_fingerprint(dataset_dir), options)
    manifest = source.manifest()
    if manifest is None or manifest.fingerprint != wanted:
        get_logger("features").warning("computed features are not these: computing them here", folder=computed, there=manifest is not None)
        return None
    columns: dict[str, int] = {}
    seconds: dict[str, float] = {}
    with replacing_folder(out_dir) as aside:
        for table in FEATURE_TABLES:
            started = time.perf_counter()
            rows, columns[table] = source.copy(table, aside / f"{table}.parquet")
            seconds[table] = round(time.perf_counter() - started, 3)
            if rows != manifest.rows[table] or source.manifest() != manifest:
                raise DataRejected(
                    "changed while it was read", field=f"{computed}, {table}", value=rows, fix="run the step when the Spark job is done"
                )
        manifest.write(aside)
    get_logger("features").info("features taken up", folder=computed, cut=manifest.cut.isoformat())
    return FeatureSummary(manifest, dict(manifest.rows), columns, seconds)


class _Computed:
    """The folder that the job writes: part files in a folder a table."""

    def __init__(self, address: str) -> None:
        from pyarrow import fs

        self._address = address
        self._files: Any
        if "://" in address:
            # The scheme is Hadoop's name of S3.
            self._files, self._root = fs.FileSystem.from_uri(address.replace("s3a://", "s3://", 1))
        else:
            self._files, self._root = fs.LocalFileSystem(), str(Path(address).absolute())

    def manifest(self) -> FeatureManifest | None:
        """None when the job is not done, or was never run.

        Raises:
            DataRejected: it is no manifest.
        """
        path = f"{self._root}/{MANIFEST_NAME}"
        try:
            with self._files.open_input_stream(path) as stream:
                return parse_manifest(stream.readall().decode(), path)
        except FileNotFoundError:
            return None

    def copy(self, table: str, target: Path) -> tuple[int, int]:
        """Write a table's part files one after another into one file; its rows and columns."""
        from pyarrow import fs

        entries = self._files.get_file_info(fs.FileSelector(f"{self._root}/{table}", allow_not_found=True))
        if any(entry.base_name == "_delta_log" for entry in entries):
            raise DataRejected("is a Delta table", field=f"{self._address}, {table}", fix="run the Spark job with --format parquet")
        parts = sorted(entry.path for entry in entries if entry.base_name.endswith(".parquet"))
        if not parts:
            raise DataRejected("has no Parquet files", field=f"{self._address}, {table}", fix="run the Spark job again")
        rows = 0
        schema: pa.Schema = pq.read_schema(parts[0], filesystem=self._files).remove_metadata()
        with pq.ParquetWriter(target, schema, compression="zstd") as file:
            for part in parts:
                for batch in pq.ParquetFile(part, filesystem=self._files).iter_batches(batch_size=ROW_GROUP_ROWS):
                    file.write_batch(batch.cast(schema), row_group_size=ROW_GROUP_ROWS)
                    rows += batch.num_rows
        return rows, len(schema)
