"""A model's run in a process of its own, so that memory and time are the model's and what breaks breaks alone."""

import multiprocessing
import os
import pickle
import signal
import traceback
from dataclasses import dataclass
from pathlib import Path

from endcap_benchmarks.quality.peak_memory import peak_memory_mib
from endcap_benchmarks.quality.recommending import RunContext
from endcap_benchmarks.quality.run_record import RunRecord, read_record, write_record

FAILURE_FILE = "failure.txt"


class RunFailed(Exception):
    """A model's run ended without lists; the message says why."""


@dataclass(frozen=True)
class RunOrder:
    """What the process works on.

    Attributes:
        model: name as of `find_models`.
        task_file: a pickled `RankingTask`.
        record_dir: where the record goes.
        context: of the run.
    """

    model: str
    task_file: Path
    record_dir: Path
    context: RunContext


def run_in_own_process(order: RunOrder) -> RunRecord:
    """Run and read what came out.

    Raises:
        RunFailed: the model raised an error, or its process ended otherwise.
    """
    order.context.work_dir.mkdir(parents=True, exist_ok=True)
    failure = order.context.work_dir / FAILURE_FILE
    failure.unlink(missing_ok=True)
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(order,), name=order.model)
    process.start()
    try:
        process.join()
    finally:
        if process.is_alive():
            process.terminate()
            process.join()
    record = read_record(order.record_dir) if process.exitcode == 0 else None
    if record is None:
        raise RunFailed(_reason(process.exitcode, failure))
    return record


def _run(order: RunOrder) -> None:
    # Before anything imports tensorflow: its recommenders build on Keras 2.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from endcap_benchmarks.quality.model_catalogue import find_models

    try:
        with order.task_file.open("rb") as stream:
            task = pickle.load(stream)  # noqa: S301 - written by the parent process
        recommended = find_models([order.model])[0].make().recommend(task, order.context)
        write_record(order.record_dir, recommended, peak_memory_mib())
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})"
        (order.context.work_dir / FAILURE_FILE).write_text(message, encoding="utf-8")
        raise


def _reason(exit_code: int | None, failure: Path) -> str:
    if failure.is_file():
        return failure.read_text(encoding="utf-8")
    if exit_code is not None and exit_code < 0:
        hint = " (out of memory?)" if -exit_code == signal.SIGKILL else ""
        return f"its process was ended by {signal.Signals(-exit_code).name}{hint}"
    return f"its process ended with {exit_code} and left no lists"
