"""Memory of training at some events and at ten times as many: `python -m endcap_benchmarks.micro.training_memory` prints one table.

Each measurement is a process of its own, whose peak the system tells. Writes `benchmarks/results/training-memory.json`.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from endcap_benchmarks.synthetic.made_purchases import BASKET_ITEMS, ITEMS, WEEKS, MadeUserRows, write_made_shop

RESULTS = Path("benchmarks/results/training-memory.json")
USERS = (4_000, 40_000)
TASKS = ("build", "read", "train")
BATCH_SIZE, DIM = 512, 32
KILOBYTES_A_MEGABYTE = 1024

Task = Callable[[], int]
"""What is measured; gives the number of examples."""


def main() -> None:
    """Print the table and write the results."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for users in USERS:
            shop = Path(folder) / str(users)
            write_made_shop(shop, users)
            for task in TASKS:
                results.append({"users": users, "events": users * WEEKS * BASKET_ITEMS, "items": ITEMS, **_measured(task, shop)})
                print(json.dumps(results[-1]), flush=True)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print("| task | events | examples | peak MB | processor seconds | examples a processor second |\n| --- | --- | --- | --- | --- | --- |")
    for row in sorted(results, key=lambda row: TASKS.index(row["task"])):
        rates = f"{row['processor_seconds']:.0f} | {row['examples'] / row['processor_seconds']:,.0f}"
        print(f"| {row['task']} | {row['events']:,} | {row['examples']:,} | {row['peak_mb']:,.0f} | {rates} |")


def _measured(task: str, shop: Path) -> dict[str, Any]:
    """What a process of its own says of a task."""
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-m", "endcap_benchmarks.micro.training_memory", task, str(shop)],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def build(shop: Path) -> Task:
    """Writes the training set; features come from nowhere, so that only joining is measured."""
    from endcap_components.build_training_set.step import build_training_set

    return lambda: build_training_set(shop / "dataset", shop / "features", shop / "training", user_rows=MadeUserRows()).examples


def read(shop: Path) -> Task:
    """Streams the examples once."""
    import numpy as np

    from endcap.training.example_stream import ExampleStream
    from endcap.training.training_set import TrainingSet

    stream = ExampleStream(TrainingSet(shop / "training").examples, BATCH_SIZE)
    return lambda: sum(len(batch.examples) for batch in stream.epoch(np.random.default_rng(0)))


def train(shop: Path) -> Task:
    """Fits a two-tower for an epoch, warm start included."""
    from endcap.training.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(seed=1, threads=1)
    from endcap.training.training_set import TrainingSet
    from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
    from endcap_components.train_two_tower.window.train import fit_two_tower

    parameters = TwoTowerHyperparameters(dim=DIM, batch_size=BATCH_SIZE, examples_max=10**9)
    return lambda: int(fit_two_tower(TrainingSet(shop / "training"), parameters, seed=1)[1]["examples"])


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        task = {"build": build, "read": read, "train": train}[sys.argv[1]](Path(sys.argv[2]))
        began = time.process_time()
        seen = task()
        took = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTES_A_MEGABYTE
        print(json.dumps({"task": sys.argv[1], "examples": seen, "processor_seconds": took, "peak_mb": peak}))
