"""What a Python worker of Spark's would do anew around each task, and need not."""

import gc
import sys
from zipimport import zipimporter


def begin_task() -> None:
    """Spare the worker, which stays for many tasks, two searches a task; to be called when a task begins.

    After a task it collects garbage, and would look through all modules: what is there now is left to later collections no more. Before a
    task it invalidates the caches of imports, for which Python reads the directories of Spark's zip files, 0.08 s: a zip file does not
    change, and an import that comes to it later opens it again.
    """
    gc.freeze()
    for path, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter):
            del sys.path_importer_cache[path]
