"""What a worker's memory holds between tasks."""

import gc


def keep_heap() -> None:
    """Leave what is there now to later collections no more: Spark's worker collects garbage after each task, and would look through all
    modules each time, 0.1 s. It is called when a task begins, so that no garbage is kept.
    """
    gc.freeze()
