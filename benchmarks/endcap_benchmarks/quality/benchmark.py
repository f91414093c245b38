"""A quality benchmark from a dataset to a report."""

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np

from endcap.contracts.evaluation import DEEP_K, MAIN_K
from endcap_benchmarks.quality.data_kind import kind_of_purchases, kind_of_visits
from endcap_benchmarks.quality.evaluating import Comparison, compare_models
from endcap_benchmarks.quality.model_catalogue import find_models, names_for
from endcap_benchmarks.quality.protocols.holdout import holdout_task
from endcap_benchmarks.quality.protocols.leave_one_out import Part, leave_one_out_task
from endcap_benchmarks.quality.protocols.session import session_task
from endcap_benchmarks.quality.protocols.temporal import last_cuts, temporal_tasks
from endcap_benchmarks.quality.quality_report import DataKind, ModelResult, QualityReport
from endcap_benchmarks.quality.recorded_purchases import read_recorded_purchases
from endcap_benchmarks.quality.recorded_signals import read_recorded_signals, signal_codes
from endcap_benchmarks.quality.runs import ModelRuns, Report, RunSettings, run_models
from endcap_benchmarks.quality.task import RankingTask

Protocol = Literal["temporal", "leave-one-out", "holdout", "session"]
SESSION_BASELINE = "v_sknn"
"""What models of visits have to beat, where it is among them."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class QualityOptions:
    """What is measured.

    Attributes:
        data: a canonical dataset.
        protocol: how it is split.
        k: depth of the lists that are judged.
        models: names as of `find_models`; empty for all that the protocol can run.
        work_dir: where runs leave their lists, so that they need not be made again.
        seeds: a random model is run with each.
        cuts: of the temporal protocol; empty for the last windows.
        windows: how many of these.
        weeks: length of a window.
        min_buyers: items with fewer buyers before the cut are left out.
        part: which held-out item leave-one-out and holdout judge by.
        signals: what models of the holdout protocol learn from, and what visits of the session protocol consist of, by the names of
            `SIGNAL_NAMES`; empty for all of them.
        days: how long the session protocol's judged time is.
        refit: leave-one-out learns from everything before the judged item.
        fresh: run models again that have run.
    """

    data: Path
    protocol: Protocol
    k: int
    work_dir: Path
    models: Sequence[str] = ()
    seeds: Sequence[int] = (1,)
    cuts: Sequence[datetime] = ()
    windows: int = 3
    weeks: int = 4
    min_buyers: int = 5
    part: Part = "test"
    signals: Sequence[str] = ()
    days: int = 30
    refit: bool = False
    fresh: bool = False


def measure_quality(options: QualityOptions, report: Report) -> QualityReport:
    """Run and judge.

    Raises:
        DataRejected: the dataset cannot be used.
        InvalidInput: a model has no such name, or the protocol does not fit the data.
    """
    temporal = options.protocol == "temporal"
    names = list(dict.fromkeys(options.models or names_for(temporal=temporal, sessions=options.protocol == "session")))
    entries = find_models(names)
    report(f"reading {options.data}")
    tasks, kind = _tasks(options)
    settings = RunSettings(
        seeds=options.seeds,
        depth=max(DEEP_K, options.k),
        dataset_dir=options.data.absolute(),
        dataset_fingerprint=kind.fingerprint,
        work_dir=options.work_dir.absolute(),
        fresh=options.fresh,
    )
    runs = run_models(entries, tasks, settings, report)
    report("evaluating")
    baselines = frozenset(entry.name for entry in entries if entry.is_baseline)
    if options.protocol == "session" and SESSION_BASELINE in baselines:
        baselines = frozenset({SESSION_BASELINE})
    comparison = Comparison(options.k, baselines, depths=(MAIN_K,) if options.k != MAIN_K else ())
    results, pooled = compare_models(comparison, tasks, runs)
    return QualityReport(
        endcap_version=version("endcap"),
        command=_command(),
        protocol=options.protocol,
        k=options.k,
        weeks=options.weeks if temporal else None,
        days=options.days if options.protocol == "session" else None,
        min_buyers=options.min_buyers if temporal else None,
        data=kind,
        cores=os.cpu_count() or 1,
        threads=" ".join(f"{name}={os.environ[name]}" for name in THREAD_VARIABLES if name in os.environ) or "not limited",
        models={each.entry.name: _model_result(each, tasks, options.seeds) for each in runs},
        tasks=results,
        pooled=pooled,
    )


def _tasks(options: QualityOptions) -> tuple[list[RankingTask], DataKind]:
    if options.protocol == "session":
        signals = read_recorded_signals(options.data)
        return [session_task(signals, options.part, signal_codes(options.signals), days=options.days)], kind_of_visits(signals)
    recorded = read_recorded_purchases(options.data)
    kind = kind_of_purchases(recorded)
    if options.protocol == "leave-one-out":
        return [leave_one_out_task(recorded, options.part, refit=options.refit)], kind
    if options.protocol == "holdout":
        return [holdout_task(recorded, options.part, signal_codes(options.signals))], kind
    cuts = sorted(options.cuts) or last_cuts(recorded, options.windows, options.weeks)
    return temporal_tasks(recorded, cuts, weeks=options.weeks, min_buyers=options.min_buyers), kind


def _model_result(runs: ModelRuns, tasks: Sequence[RankingTask], seeds: Sequence[int]) -> ModelResult:
    settings = {} if runs.failure and not runs.by_task else dict(runs.entry.make().settings)
    records = [(task, record) for task in tasks for record in runs.by_task.get(task.name, [])]
    if runs.failure or not records:
        return ModelResult(
            settings=settings,
            is_baseline=runs.entry.is_baseline,
            seeds=[],
            fit_s=None,
            score_ms_per_user=None,
            peak_memory_mib=None,
            failure=runs.failure or "it made no lists",
        )
    last = runs.by_task[tasks[-1].name]
    return ModelResult(
        settings=settings,
        is_baseline=runs.entry.is_baseline,
        seeds=list(seeds[: len(last)]),
        fit_s=float(np.mean([record.costs.fit_s for _, record in records])),
        score_ms_per_user=float(np.mean([1000 * record.costs.score_s / task.users for task, record in records])),
        peak_memory_mib=max(record.costs.peak_memory_mib for _, record in records),
        reliability=last[0].costs.reliability,
        notes=last[0].costs.notes,
    )


def _command() -> str:
    """As it was typed, by names instead of folders: a report goes to people who do not know this machine."""
    program = Path(sys.argv[0]).name.replace("__main__.py", "endcap")
    words = [program, *(Path(word).name if word.startswith("/") else word for word in sys.argv[1:])]
    return shlex.join(words)
