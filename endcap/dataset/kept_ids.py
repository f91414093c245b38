"""A dataset whose people, visits and orders are named as the settings want them to be kept."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from endcap.core.errors import DataRejected
from endcap.core.files import link_or_copy, replacing_folder
from endcap.core.person_ids import PersonIds
from endcap.dataset.holdout import HOLDOUT_FILE
from endcap.dataset.layout import DESCRIPTION_FILE, Dataset, write_description

ID_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "events.parquet": ("user_id", "session_id", "order_id"),
    "users.parquet": ("user_id",),
    HOLDOUT_FILE: ("user_id",),
}
"""By file, the columns with ids of people, visits and orders."""

_BATCH_ROWS = 500_000


def require_kept(dataset: Dataset, ids: PersonIds) -> None:
    """Refuse a dataset whose ids would never meet those of requests and events.

    Raises:
        DataRejected: its ids are kept in another way than the settings say.
    """
    where = str(dataset.path / DESCRIPTION_FILE)
    ids.require(dataset.person_ids, where=where, otherwise="import the data again with --force")


def with_kept_ids(dataset: Dataset, ids: PersonIds) -> Dataset:
    """The dataset with its ids as they are to be kept; written aside and put in place as a whole.

    Rows that were refused (`rejected.parquet`) are removed: they stand there as they came, with the ids that they have.

    Raises:
        DataRejected: its ids are hashed already, in another way.
    """
    if dataset.person_ids == ids.fingerprint:
        return dataset
    if dataset.person_ids is not None or ids.key is None:
        require_kept(dataset, ids)
    with replacing_folder(dataset.path) as folder:
        for file in dataset.path.iterdir():
            if file.name in ID_COLUMNS:
                _write_kept(file, folder / file.name, ids)
            elif file.is_file() and file != dataset.rejected_file and file.name != DESCRIPTION_FILE:
                link_or_copy(str(file), str(folder / file.name))
        kept = replace(dataset, person_ids=ids.fingerprint, fingerprint=f"{dataset.fingerprint}-{ids.fingerprint}")
        write_description(replace(kept, path=folder))
    return kept


def _write_kept(file: Path, target: Path, ids: PersonIds) -> None:
    try:
        with pq.ParquetFile(file) as source, pq.ParquetWriter(target, source.schema_arrow, compression="zstd") as written:
            for part in source.iter_batches(_BATCH_ROWS):
                rows = pa.Table.from_batches([part])
                for name in ID_COLUMNS[file.name]:
                    if name in rows.column_names:
                        place = rows.column_names.index(name)
                        rows = rows.set_column(place, rows.field(place), _kept(rows[name], ids))
                written.write_table(rows)
    except (pa.ArrowException, OSError) as error:
        raise DataRejected(f"not a readable Parquet file ({error})", field=str(file), fix="import the data again") from error


def _kept(column: pa.ChunkedArray, ids: PersonIds) -> pa.Array:
    """Each distinct id once: a table has far more rows than people."""
    coded = column.combine_chunks().cast(pa.string()).dictionary_encode()
    names = pa.array([ids.kept(name) for name in coded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(coded.indices, names).cast(column.type)
