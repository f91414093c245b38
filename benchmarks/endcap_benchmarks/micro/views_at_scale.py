"""What ten times as many views cost: `python -m endcap_benchmarks.micro.views_at_scale` prints one table of time and memory by step.

People, items and purchases stay the same. Each measurement is a process of its own, whose peak the system tells. Writes
`benchmarks/results/views-at-scale.json`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from endcap.contracts.training_plan import PLAN_NAME
from endcap_benchmarks.quality.runs import peak_memory_mib
from endcap_benchmarks.synthetic.made_views import write_views

RESULTS = Path("benchmarks/results/views-at-scale.json")
VIEWS = (200_000, 2_000_000)
SEED = 1

Task = Callable[[Path], object]


def plan(shop: Path) -> None:
    """What the data allows."""
    from endcap.dataset.layout import open_dataset
    from endcap.training.planning.planning import Requested, plan_training

    (shop / PLAN_NAME).write_text(plan_training(open_dataset(shop / "dataset"), Requested()).model_dump_json(), encoding="utf-8")


def features(shop: Path) -> None:
    """Every feature table."""
    from endcap.features.computing import build_feature_tables
    from endcap.features.snapshots import FeatureOptions
    from endcap.training.plan import read_plan

    planned = read_plan(shop)
    build_feature_tables(shop / "dataset", shop / "features", FeatureOptions.of(planned.times, planned.signals))


def training_set(shop: Path) -> None:
    """Interactions, sequences and examples."""
    from endcap.training.plan import read_plan
    from endcap_components.build_training_set.step import build_training_set

    build_training_set(shop / "dataset", shop / "features", shop / "training", plan=read_plan(shop))


def tables(shop: Path) -> None:
    """Item-to-item, complements, popularity."""
    from endcap_components.build_tables.step import build_tables

    build_tables(shop / "training", shop / "tables")


def two_tower(shop: Path) -> None:
    """An epoch of one tower that learns the next interaction."""
    from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
    from endcap_components.train_two_tower.step import train_two_tower

    parameters = TwoTowerHyperparameters.of({"objective": "next_item", "next_item": {"dim": 32, "epochs": 1, "members": 1}})
    train_two_tower(shop / "training", shop / "two_tower", parameters, SEED)


def ranker(shop: Path) -> None:
    """The ranker, with all objectives that the data reaches."""
    from endcap.core.settings import RetrievalSettings
    from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
    from endcap_components.train_ranker.step import train_ranker

    quotas = RetrievalSettings(two_tower_quota=100, item_to_item_quota=60, buy_again_quota=60, popular_quota=40, candidates_max=200)
    folders = (shop / "training", shop / "tables", shop / "two_tower", shop / "ranker")
    train_ranker(*folders, parameters=RankerHyperparameters(epochs=1, members=1, queries_max=3000), quotas=quotas, seed=SEED)


TASKS: Mapping[str, Task] = {
    "plan": plan,
    "features": features,
    "training set": training_set,
    "tables": tables,
    "two-tower": two_tower,
    "ranker": ranker,
}
"""In their order; each goes on from what those before it left in the shop's folder."""


def main() -> None:
    """Print the table and write the results."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for views in VIEWS:
            shop = Path(folder) / str(views)
            dataset = write_views(shop / "dataset", views)
            for task in TASKS:
                results.append({"views": views, "events": dataset.rows["events"], **_measured(task, shop)})
                print(json.dumps(results[-1]), flush=True)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    few, many = ({row["task"]: row for row in results if row["views"] == views} for views in VIEWS)
    events = [next(iter(rows.values()))["events"] for rows in (few, many)]
    print(f"| step | {events[0]:,} events, s | {events[1]:,} events, s | times | peak MiB | peak MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for task in TASKS:
        seconds = [rows[task]["processor_seconds"] for rows in (few, many)]
        peaks = " | ".join(f"{rows[task]['peak_mib']:,.0f}" for rows in (few, many))
        print(f"| {task} | {seconds[0]:.1f} | {seconds[1]:.1f} | {seconds[1] / seconds[0]:.1f} | {peaks} |")


def _measured(task: str, shop: Path) -> dict[str, Any]:
    """What a process of its own says of a task."""
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "endcap_benchmarks.micro.views_at_scale", task, str(shop)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        began = time.process_time()
        TASKS[sys.argv[1]](Path(sys.argv[2]))
        took = time.process_time() - began
        print(json.dumps({"task": sys.argv[1], "processor_seconds": took, "peak_mib": peak_memory_mib()}))
