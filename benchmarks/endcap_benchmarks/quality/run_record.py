"""What a run leaves behind in the work folder: lists and costs, under a fingerprint of all that they follow from."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from pydantic import BaseModel, ConfigDict

from endcap.contracts.evaluation import Reliability
from endcap.core.files import replacing_folder
from endcap.evaluation.ranked_lists import RankedLists
from endcap_benchmarks.quality.recommending import BenchmarkModel, Recommended
from endcap_benchmarks.quality.task import RankingTask

RECORD_VERSION = 1
"""Raised whenever the same model on the same task would leave another record."""

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
        for array in (each.start, each.item_index, each.age_days):
            digest.update(array.tobytes())
    digest.update(task.training.attributes.tobytes())
    for name, truth in sorted(task.truths.items()):
        digest.update(name.encode())
        for pairs in (truth.items, truth.hidden):
            digest.update(b"-" if pairs is None else pairs.keys.tobytes())
    return digest.hexdigest()


def run_fingerprint(task: RankingTask, dataset_fingerprint: str, model: BenchmarkModel, seed: int, depth: int) -> str:
    """Of the task, the model's settings and its own file, the seed and the lists' depth."""
    code = hashlib.sha256(model.code.read_bytes()).hexdigest() if model.code else ""
    told = [RECORD_VERSION, task_digest(task), dataset_fingerprint, dict(model.settings), code, seed, depth]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:20]


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
