"""What a task spares its worker costs nothing later: modules in zip files are still found."""

import gc
import sys
from importlib import import_module, invalidate_caches
from pathlib import Path
from zipfile import ZipFile
from zipimport import zipimporter

import pytest

from endcap_stream.spark.stages.task_beginning import begin_task


def zip_of(folder: Path, *modules: str) -> Path:
    with ZipFile(folder / "modules.zip", "w") as file:
        for name in modules:
            file.writestr(f"{name}.py", f"NAME = {name!r}\n")
    return folder / "modules.zip"


def test_directories_of_zip_files_are_not_read_again_and_their_modules_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = zip_of(tmp_path, "first_of_zip", "second_of_zip")
    monkeypatch.syspath_prepend(str(file))
    assert import_module("first_of_zip").NAME == "first_of_zip"
    assert isinstance(sys.path_importer_cache[str(file)], zipimporter)
    begin_task()
    assert not [finder for finder in sys.path_importer_cache.values() if isinstance(finder, zipimporter)]
    invalidate_caches()
    assert import_module("second_of_zip").NAME == "second_of_zip"


def test_what_is_there_when_a_task_begins_is_left_out_of_collections() -> None:
    begin_task()
    try:
        assert gc.get_freeze_count() > len(sys.modules)
    finally:
        gc.unfreeze()
