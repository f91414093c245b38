"""What joining requests inside the graph costs and brings: `python -m endcap_benchmarks.micro.batching` prints one table.

A bundle's model with random weights, called as the local model server calls it: lists of 1,000 candidates, by one caller and by several.
"""

import itertools
import logging
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_items, make_tables

CANDIDATES = 1_000
CALLS = 400
CALLERS = (1, 8, 32)
SETTINGS: dict[str, dict[str, Any]] = {
    "each alone": {},
    "joined, waits 0.2 ms": {"wait_ms": 0.2},
    "joined, waits 1 ms": {"wait_ms": 1.0},
}


def main() -> None:
    """Print the table."""
    os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        models = exported(Path(folder))
        print(f"| {CANDIDATES} candidates a list | callers | lists a second | p50 ms | p99 ms |\n| --- | --- | --- | --- | --- |")
        for callers, (name, rank) in itertools.product(CALLERS, models.items()):
            times_ms, took_s = measured(rank, callers)
            p50, p99 = np.percentile(times_ms, [50, 99])
            print(f"| {name} | {callers} | {len(times_ms) / took_s:.0f} | {p50:.1f} | {p99:.1f} |")


def exported(folder: Path) -> dict[str, Callable[[], Any]]:
    """By setting, a call of `rank` with one list."""
    import tensorflow as tf

    from endcap_benchmarks.synthetic.random_weights import write_models
    from endcap_components.export_bundle.batching import Batching
    from endcap_components.export_bundle.saved_model import export_saved_model, zeros_of

    size = SyntheticSize(items=10_000, dim=64)
    tables = make_tables(size, make_items(size))
    tables = replace(tables, item_embeddings=write_models(folder, tables, size.dim, seed=1))
    calls: dict[str, Callable[[], Any]] = {}
    for number, (name, given) in enumerate(SETTINGS.items()):
        export_saved_model(folder / "two_tower", folder / "ranker", "endcap_1", folder / str(number), Batching.of(given))
        signature = tf.saved_model.load(str(folder / str(number))).signatures["rank"]
        inputs = {key: tf.constant(zeros_of(key, spec, "rank")) for key, spec in signature.structured_input_signature[1].items()}
        calls[name] = partial(_buy, signature, inputs)
    return calls


def _buy(signature: Any, inputs: dict[str, Any]) -> Any:
    return signature(**inputs)["buy"].numpy()


def measured(rank: Callable[[], Any], callers: int) -> tuple[list[float], float]:
    """Milliseconds of each call, and the seconds of all."""

    def timed(_number: int) -> float:
        start = time.perf_counter()
        rank()
        return (time.perf_counter() - start) * 1000

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(timed, range(5 * callers)))
        start = time.perf_counter()
        times_ms = list(pool.map(timed, range(CALLS)))
        return times_ms, time.perf_counter() - start


if __name__ == "__main__":
    main()
