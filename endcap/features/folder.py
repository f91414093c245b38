"""Replacing a folder as a whole, so that no reader ever sees half of a new one."""

import os
import shutil
from pathlib import Path


def replace_folder(new: Path, target: Path) -> None:
    """Put `new` in the place of `target`; both in one file system."""
    old = target.with_name(f".{target.name}-old-{os.getpid()}")
    if target.exists():
        target.replace(old)
    new.replace(target)
    shutil.rmtree(old, ignore_errors=True)
