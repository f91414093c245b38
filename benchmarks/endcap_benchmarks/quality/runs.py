"""All runs of a benchmark: every model on every task, with every seed if that makes a difference."""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from endcap.core.files import replacing_file
from endcap_benchmarks.quality.model_catalogue import CatalogueEntry
from endcap_benchmarks.quality.own_process import RunFailed, RunOrder, run_in_own_process
from endcap_benchmarks.quality.recommending import RunContext
from endcap_benchmarks.quality.run_record import RunRecord, read_record, run_fingerprint
from endcap_benchmarks.quality.task import RankingTask

Told = Callable[[str], None]
"""Told in a sentence what happens next."""


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


def run_models(entries: Sequence[CatalogueEntry], tasks: Sequence[RankingTask], settings: RunSettings, told: Told) -> list[ModelRuns]:
    """Run one after the other; a model that fails stops itself only."""
    files = {task.name: _write_task(task, settings.work_dir) for task in tasks}
    done = []
    for number, entry in enumerate(entries, 1):
        runs = ModelRuns(entry)
        done.append(runs)
        for task in tasks:
            try:
                runs.by_task[task.name] = _run_seeds(
                    entry, task, files[task.name], settings, lambda text, at=number: told(f"{at}/{len(entries)} {text}")
                )
            except RunFailed as failed:
                runs.failure = f"{task.name}: {failed}"
                told(f"{entry.name} failed, {runs.failure}")
                break
    return done


def _run_seeds(entry: CatalogueEntry, task: RankingTask, task_file: Path, settings: RunSettings, told: Told) -> list[RunRecord]:
    """A record a seed; a model whose second seed gives the lists of its first is not random and needs no more."""
    records: list[RunRecord] = []
    for seed in settings.seeds:
        records.append(_run(entry, task, task_file, seed=seed, settings=settings, told=told))
        if len(records) == 2 and _same(*records):
            return records[:1]
    return records


def _run(entry: CatalogueEntry, task: RankingTask, task_file: Path, *, seed: int, settings: RunSettings, told: Told) -> RunRecord:
    try:
        fingerprint = run_fingerprint(task, settings.dataset_fingerprint, entry.make(), seed, settings.depth)
    except Exception as error:
        raise RunFailed(f"it cannot be made ({type(error).__name__}: {error})") from error
    folder = settings.work_dir / "runs" / f"{entry.name.replace(':', '.')}-{task.name}-{seed}-{fingerprint}"
    known = None if settings.fresh else read_record(folder / "record")
    if known:
        return known
    told(f"{entry.name}, {task.name}, seed {seed}")
    context = RunContext(seed, settings.depth, settings.dataset_dir, folder / "work")
    return run_in_own_process(RunOrder(entry.name, task_file, folder / "record", context))


def _same(one: RunRecord, other: RunRecord) -> bool:
    return all(np.array_equal(one.lists[name].items, other.lists[name].items) for name in one.lists)


def _write_task(task: RankingTask, work_dir: Path) -> Path:
    file = work_dir / "tasks" / f"{task.name}.pickle"
    with replacing_file(file) as aside, aside.open("wb") as stream:
        pickle.dump(task, stream, protocol=pickle.HIGHEST_PROTOCOL)
    return file
