"""Item table refresh under load: windows with updates every few seconds and windows without take turns, so that drift hits both alike."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_updates import UPDATES_FILE, write_updates
from endcap_benchmarks.serving.stage import Stage
from endcap_benchmarks.serving.summary import OK
from endcap_benchmarks.synthetic.bundle import DATA_END

CHANGED_SHARE = 0.01
OUT_OF_STOCK_SHARE = 0.1
"""Of the changed items."""


class ItemChanges:
    """Writes the present state of a share of the catalogue, another price and stock each time.

    Args:
        live_dir: the folder transformers watch.
        items: of the catalogue.
        seed: of what changes.
    """

    def __init__(self, live_dir: Path, items: int, seed: int) -> None:
        self._path = live_dir / UPDATES_FILE
        self._items = items
        self._random = np.random.default_rng(seed)
        self._moment = DATA_END

    def publish(self) -> None:
        """Replace the file."""
        count = max(round(CHANGED_SHARE * self._items), 1)
        self._moment += timedelta(seconds=1)
        numbers = self._random.choice(self._items, count, replace=False)
        gone = self._random.random(count) < OUT_OF_STOCK_SHARE
        rows = pl.DataFrame(
            {
                "item_id": [f"I{number:06d}" for number in numbers],
                "updated_at": pl.Series([self._moment] * count, dtype=pl.Datetime("us", "UTC")),
                "price": np.round(0.5 + 20 * self._random.random(count), 2),
                "availability": np.where(gone, "out_of_stock", "in_stock"),
            }
        )
        write_updates(self._path, rows)

    def withdraw(self) -> None:
        """Take the file away; the transformer keeps what it has."""
        self._path.unlink(missing_ok=True)


LIVE_FOLDER = "live"
BOOTSTRAP_SAMPLES = 1_000


def refresh(stage: Stage, *, rate: float, windows: int, window_seconds: float, every_seconds: float) -> dict[str, Any]:
    """p99 of the whole with refreshes against without.

    Args:
        rate: requests a second.
        windows: of each kind.
        every_seconds: between two updates.
    """
    changes = ItemChanges(stage.parts.home / LIVE_FOLDER, stage.items, seed=stage.items)
    took: dict[bool, list[float]] = {False: [], True: []}
    published = 0
    for number in range(2 * windows):
        updating = number % 2 == 1
        with Updates(changes.publish if updating else None, every_seconds) as updates:
            stretch = stage.open_loop("http", rate, window_seconds)
        published += updates.count
        changes.withdraw()
        took[updating] += [each.took_ms for each in stretch.exchanges if each.status == OK]
    without, with_ = (np.array(took[kind]) for kind in (False, True))
    low, high = _ratio_interval(without, with_)
    return {
        "scenario": "item table refresh",
        "items": stage.items,
        "protocol": "http",
        "rate": rate,
        "windows": windows,
        "window_seconds": window_seconds,
        "updates": published,
        "p99_ms_without": round(float(np.percentile(without, 99)), 2),
        "p99_ms_with": round(float(np.percentile(with_, 99)), 2),
        "p99_ratio": round(float(np.percentile(with_, 99) / np.percentile(without, 99)), 3),
        "p99_ratio_interval": [low, high],
        "p50_ms_without": round(float(np.percentile(without, 50)), 2),
        "p50_ms_with": round(float(np.percentile(with_, 50)), 2),
        "load_average": round(stretch.usage.load_average, 2),
    }


class Updates:
    """Publishes again and again in a thread of its own while the context lasts; never when `publish` is None."""

    def __init__(self, publish: Callable[[], None] | None, every_seconds: float) -> None:
        self.count = 0
        self._publish = publish
        self._every_seconds = every_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="item updates")

    def __enter__(self) -> "Updates":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while self._publish is not None and not self._over.wait(self._every_seconds):
            self._publish()
            self.count += 1


def _ratio_interval(without: NDArray[np.float64], with_: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of the p99 ratio by bootstrap: few requests lie beyond a p99, so the ratio alone says little."""
    random = np.random.default_rng(0)
    ratios = [
        np.percentile(random.choice(with_, len(with_)), 99) / np.percentile(random.choice(without, len(without)), 99)
        for _ in range(BOOTSTRAP_SAMPLES)
    ]
    low, high = np.percentile(ratios, [2.5, 97.5])
    return round(float(low), 3), round(float(high), 3)
