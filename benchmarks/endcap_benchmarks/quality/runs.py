"""All runs of a benchmark: every model on every task and seed, each in a process of its own, with a record of what it left.

In a process of its own, so that memory and time are the model's and what breaks breaks alone. A record holds lists and costs, under a
fingerprint of all that they follow from.
"""

import hashlib
import json
import multiprocessing
import os
import pickle
import re
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from pydantic import BaseModel, ConfigDict

from endcap.contracts.evaluation import Reliability
from endcap.core.files import replacing_file, replacing_folder
from endcap.evaluation.ranked_lists import RankedLists
from endcap_benchmarks.quality.model_catalogue import CatalogueEntry, find_models
from endcap_benchmarks.quality.recommending import BenchmarkModel, Recommended, RunContext
from endcap_benchmarks.quality.task import RankingTask

RECORD_VERSION = 1
"""Raised whenever the same model on the same task would leave another record."""

SHARED = "shared"
RECORD_FILE, LISTS_FILE = "run.json", "lists.npz"


class RunCosts(BaseModel):
    """What one run cost and said of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fit_s: float
    score_s: float
    peak_memory_mib: float
    truths: list[str]
    reliability: Reliability | None = None
    notes: dict[str, Any] = {}


@dataclass(frozen=True)
class RunRecord:
    """One model's lists for one task and seed."""

    lists: dict[str, RankedLists]
    costs: RunCosts


def task_digest(task: RankingTask) -> str:
    """Equal for tasks that ask the same."""
    digest = hashlib.sha256()
    parts = [task.training.interactions, task.histories]
    for each in parts:
        for array in (each.start, each.item_index, each.age_days, each.signal, each.weight):
            digest.update(b"" if array is None else array.tobytes())
    digest.update(task.training.attributes.tobytes())
    for name, truth in sorted(task.truths.items()):
        digest.update(name.encode())
        for pairs in (truth.items, truth.hidden):
            digest.update(b"-" if pairs is None else pairs.keys.tobytes())
    return digest.hexdigest()


def run_fingerprint(task: RankingTask, dataset_fingerprint: str, model: BenchmarkModel, seed: int, depth: int) -> str:
    """Of the task, the model's settings and its own file, the seed and the lists' depth."""
    code = hashlib.sha256(model.code.read_bytes()).hexdigest() if model.code else ""
    identity = [RECORD_VERSION, task_digest(task), dataset_fingerprint, dict(model.settings), code, seed, depth]
    return hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:20]


def write_record(folder: Path, recommended: Recommended, peak_memory_mib: float) -> None:
    """Put the record in its place once it is whole."""
    costs = RunCosts(
        fit_s=recommended.fit_s,
        score_s=recommended.score_s,
        peak_memory_mib=peak_memory_mib,
        truths=list(recommended.lists),
        reliability=recommended.reliability,
        notes=recommended.notes,
    )
    with replacing_folder(folder) as aside:
        np.savez_compressed(aside / LISTS_FILE, *(each.items for each in recommended.lists.values()))
        (aside / RECORD_FILE).write_text(costs.model_dump_json(), encoding="utf-8")


def read_record(folder: Path) -> RunRecord | None:
    """The record, or None where there is none, or one that broke off or is of another version: the model is then run again.

    Raises:
        OSError: there is a record, and the disk does not give it.
    """
    try:
        costs = RunCosts.model_validate_json((folder / RECORD_FILE).read_bytes())
        with np.load(folder / LISTS_FILE) as stored:
            lists = {name: RankedLists(stored[f"arr_{place}"]) for place, name in enumerate(costs.truths)}
    except (FileNotFoundError, BadZipFile, ValueError, KeyError, EOFError):
        return None
    return RunRecord(lists, costs)


def peak_memory_mib() -> float:
    """Mebibytes of this program since it started.

    Linux keeps it a program (VmHWM); `ru_maxrss` would also count what the parent held when it started this one.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.is_file() else None
    if found:
        return int(found[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


FAILURE_FILE = "failure.txt"


class RunFailed(Exception):
    """A model's run ended without lists; the message says why."""


@dataclass(frozen=True)
class RunOrder:
    """What the process is to run.

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
    process = multiprocessing.get_context("spawn").Process(target=_run_child, args=(order,), name=order.model)
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


def _run_child(order: RunOrder) -> None:
    # Before anything imports tensorflow: its recommenders build on Keras 2.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    try:
        with order.task_file.open("rb") as stream:
            task = pickle.load(stream)  # noqa: S301 - written by the parent process
        recommended = find_models([order.model])[0].make().recommend(task, order.context)
        write_record(order.record_dir, recommended, peak_memory_mib())
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})"
        (order.context.work_dir / FAILURE_FILE).write_text(reason, encoding="utf-8")
        raise


def _reason(exit_code: int | None, failure: Path) -> str:
    if failure.is_file():
        return failure.read_text(encoding="utf-8")
    if exit_code is not None and exit_code < 0:
        hint = " (out of memory?)" if -exit_code == signal.SIGKILL else ""
        return f"its process was ended by {signal.Signals(-exit_code).name}{hint}"
    return f"its process ended with {exit_code} and left no lists"


Report = Callable[[str], None]
"""Called with a sentence about what happens next."""


@dataclass(frozen=True)
class RunSettings:
    """How models are run.

    Attributes:
        seeds: a random model is run with each.
        depth: places of a list.
        dataset_dir: the canonical dataset.
        dataset_fingerprint: of its import.
        work_dir: records are kept here; what is there is not run again.
        fresh: run again all the same.
    """

    seeds: Sequence[int]
    depth: int
    dataset_dir: Path
    dataset_fingerprint: str
    work_dir: Path
    fresh: bool = False


@dataclass
class ModelRuns:
    """What came of one model: by task, a record a seed; or why nothing did."""

    entry: CatalogueEntry
    by_task: dict[str, list[RunRecord]] = field(default_factory=dict)
    failure: str | None = None


def run_models(entries: Sequence[CatalogueEntry], tasks: Sequence[RankingTask], settings: RunSettings, report: Report) -> list[ModelRuns]:
    """Run one after the other; a model that fails stops itself only."""
    if settings.fresh:
        shutil.rmtree(settings.work_dir / SHARED, ignore_errors=True)
    files = {task.name: _write_task(task, settings.work_dir) for task in tasks}
    done = []
    for number, entry in enumerate(entries, 1):
        runs = ModelRuns(entry)
        done.append(runs)
        for task in tasks:
            try:
                numbered = partial(_report_at, report, f"{number}/{len(entries)}")
                runs.by_task[task.name] = _run_seeds(entry, task, files[task.name], settings, numbered)
            except RunFailed as failed:
                runs.failure = f"{task.name}: {failed}"
                report(f"{entry.name} failed, {runs.failure}")
                break
    return done


def _report_at(report: Report, place: str, text: str) -> None:
    report(f"{place} {text}")


def _run_seeds(entry: CatalogueEntry, task: RankingTask, task_file: Path, settings: RunSettings, report: Report) -> list[RunRecord]:
    """A record a seed; a model whose second seed gives the lists of its first is not random and needs no more."""
    records: list[RunRecord] = []
    for seed in settings.seeds:
        records.append(_run(entry, task, task_file, seed=seed, settings=settings, report=report))
        if len(records) == 2 and _same(*records):
            return records[:1]
    return records


def _run(entry: CatalogueEntry, task: RankingTask, task_file: Path, *, seed: int, settings: RunSettings, report: Report) -> RunRecord:
    try:
        fingerprint = run_fingerprint(task, settings.dataset_fingerprint, entry.make(), seed, settings.depth)
    except Exception as error:
        raise RunFailed(f"it cannot be made ({type(error).__name__}: {error})") from error
    folder = settings.work_dir / "runs" / f"{entry.name.replace(':', '.')}-{task.name}-{seed}-{fingerprint}"
    known = None if settings.fresh else read_record(folder / "record")
    if known:
        return known
    report(f"{entry.name}, {task.name}, seed {seed}")
    shared = settings.work_dir / SHARED / f"{task.name}-{task_digest(task)[:20]}"
    context = RunContext(seed, settings.depth, settings.dataset_dir, folder / "work", shared)
    return run_in_own_process(RunOrder(entry.name, task_file, folder / "record", context))


def _same(one: RunRecord, other: RunRecord) -> bool:
    return all(np.array_equal(one.lists[name].items, other.lists[name].items) for name in one.lists)


def _write_task(task: RankingTask, work_dir: Path) -> Path:
    file = work_dir / "tasks" / f"{task.name}.pickle"
    with replacing_file(file) as aside, aside.open("wb") as stream:
        pickle.dump(task, stream, protocol=pickle.HIGHEST_PROTOCOL)
    return file
