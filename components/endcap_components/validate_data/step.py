"""The step validate_data: the pipeline's own copy of a dataset that fits its contracts."""

import shutil
from pathlib import Path

from endcap.core.errors import DataRejected
from endcap.core.files import link_or_copy, replacing_folder
from endcap.dataset.layout import Dataset, open_dataset


def validate_data_step(data_dir: Path, fingerprint: str, out_dir: Path) -> Dataset:
    """Check a canonical dataset's description, tables and columns, and keep it as it is now.

    Files are linked where that is possible, so a copy costs no space; an import replaces files and never changes them.

    Args:
        data_dir: a canonical dataset.
        fingerprint: what the dataset is expected to be.
        out_dir: the folder to write; replaced when it exists.

    Raises:
        DataRejected: it is not a dataset, or another one than expected.
    """
    dataset = open_dataset(data_dir)
    if dataset.fingerprint != fingerprint:
        raise DataRejected("the dataset changed while the pipeline started", field=str(data_dir), value=dataset.fingerprint)
    with replacing_folder(out_dir) as aside:
        shutil.copytree(data_dir, aside, copy_function=link_or_copy, dirs_exist_ok=True)
    return open_dataset(out_dir)
