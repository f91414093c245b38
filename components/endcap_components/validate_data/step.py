"""The step validate_data: the pipeline's own copy of a dataset that fits its contracts."""

import os
import shutil
import tempfile
from pathlib import Path

from endcap.core.errors import DataRejected
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
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
    try:
        shutil.copytree(data_dir, aside, copy_function=link_or_copy, dirs_exist_ok=True)
        shutil.rmtree(out_dir, ignore_errors=True)
        aside.replace(out_dir)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return open_dataset(out_dir)


def link_or_copy(source: str, target: str) -> None:
    """A hard link, or a copy where the file system has none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
