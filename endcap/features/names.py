"""Names of the feature tables, each one Parquet file in a feature folder, and how such a folder is replaced."""

import os
import shutil
from pathlib import Path

USER_FEATURES = "user_features"
USER_ITEM_FEATURES = "user_item_features"
ITEM_FEATURES = "item_features"
FEATURE_TABLES = (USER_FEATURES, USER_ITEM_FEATURES, ITEM_FEATURES)


def replace_folder(new: Path, target: Path) -> None:
    """Put `new` in the place of `target`; both in one file system."""
    old = target.with_name(f".{target.name}-old-{os.getpid()}")
    if target.exists():
        target.replace(old)
    new.replace(target)
    shutil.rmtree(old, ignore_errors=True)
