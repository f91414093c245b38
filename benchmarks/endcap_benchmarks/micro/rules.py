"""`python -m endcap_benchmarks.micro.rules`: time of the merchandisers' rules, 200 of them over the candidates of one request.

A fifth of a second of warm-up, then one call after the other: which rules hold, and what they do to the candidates.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.cli.output import print_json, print_table
from endcap.engine.retrieval.candidates import SOURCES, CandidateSet
from endcap.engine.rules.context import RuleContext
from endcap.engine.rules.file.rule_file import RuleFile
from endcap.engine.rules.rule_book import RuleBook
from endcap.features.columns import ITEM_NUMERIC, OBJECTIVES
from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_items

LIMIT_P99_MS = 5.0
NOW = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--candidates", type=int, default=1_000)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--candidate-rules", type=int, default=20, help="of these, rules that read candidate columns")
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    rows = measure(options)
    if options.json:
        print_json(rows)
    else:
        title = f"{options.rules} rules, {options.candidate_rules} of them about the request, {options.candidates:,} candidates"
        print_table(f"{title}, {options.items:,} items", rows)
    whole = next(row for row in rows if row["step"] == "active + effects")
    return 0 if whole["p99_ms"] < LIMIT_P99_MS else 1


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """One row a step, times in milliseconds."""
    random = np.random.default_rng(7)
    items = catalogue(options.items, random)
    file = made_rules(options.rules, options.candidate_rules, items)
    compiled, book = _timed(lambda: RuleBook.compile(file, items, lambda: NOW))
    repriced = _repriced(items, random)
    recompiled, _ = _timed(lambda: book.recompiled(repriced))
    context = RuleContext(surface="home", segments=("age_band=25-34",), now=NOW, device="app", region="north")
    masked, _ = _timed(lambda: book.excluded(book.active(context)))
    requests = [_request(options.candidates, items, random) for _ in range(50)]
    empty = RuleBook.compile(RuleFile(version=1), items, lambda: NOW)
    rows = [
        {"step": "compile", "p50_ms": compiled},
        {"step": "recompile after new prices and stock", "p50_ms": recompiled},
        {"step": "mask of excluded items, first time", "p50_ms": masked},
        _percentiles("active", lambda _: book.active(context), options.calls),
        _percentiles("active + effects", lambda number: _effects(book, context, *requests[number % 50]), options.calls),
        _percentiles("active + effects of an empty book", lambda number: _effects(empty, context, *requests[number % 50]), options.calls),
    ]
    return [{"step": "", "p50_ms": None, "p95_ms": None, "p99_ms": None, "cpu_ms": None} | row for row in rows]


def made_rules(count: int, about_requests: int, items: ItemTable) -> RuleFile:
    """Rules of every action over brands, categories, prices and figures of sales, all of which hold."""
    brands, categories = list(items.brands.names), list(items.categories.names)
    conditions = [
        lambda n: f"brand = '{brands[n % len(brands)]}'",
        lambda n: f"category_2 = '{categories[n % len(categories)]}' and price < {5 + n % 40}",
        lambda n: f"price between {n % 20} and {20 + n % 30} and trend > 0.{n % 9}",
        lambda n: f"starts_with(category_1, '{categories[n % len(categories)][:4]}') and not (discount_share_28d > 0.{n % 9})",
        lambda n: f"repeat_rate_90d > 0.{n % 9} or brand in ('{brands[n % len(brands)]}', '{brands[(n * 7) % len(brands)]}')",
    ]
    about = [
        lambda n: f"source = '{SOURCES[n % len(SOURCES)]}' and brand = '{brands[n % len(brands)]}'",
        lambda n: f"position > {10 * (n % 30)} and price < {5 + n % 40}",
        lambda n: f"buy < 0.0{1 + n % 9} and not bought_before",
        lambda n: f"score > 0.{n % 9} and brought_by_popular",
        lambda n: f"buy * price > {n % 9} and available",
    ]
    actions: list[dict[str, Any]] = [
        *({"boost": {"factor": 1.2}}, {"bury": {"factor": 0.7}}) * 4,
        {"exclude": True},
        {"cap": {"most": 2, "by": "category_3"}},
        {"minimum_share": {"share": 0.1}},
    ]
    whens: list[dict[str, Any]] = [
        {},
        {"surface": "home"},
        {"segment": "age_band=25-34"},
        {"time": {"zone": "Europe/Berlin", "hours": "08:00-22:00"}},
    ]
    rules = []
    for number in range(count):
        made = about if number < about_requests else conditions
        rules.append(
            {"id": f"rule-{number}", "when": whens[number % 4], "where": made[number % len(made)](number)} | actions[number % len(actions)]
        )
    return RuleFile.model_validate({"version": 1, "rules": rules})


def catalogue(count: int, random: np.random.Generator) -> ItemTable:
    rows = make_items(SyntheticSize(items=count))
    features = pl.DataFrame(random.random((count, len(ITEM_NUMERIC)), dtype=np.float32), schema=list(ITEM_NUMERIC))
    return ItemTable.from_items(rows).with_features(pl.concat([rows.select("item_id"), features], how="horizontal"))


def _repriced(items: ItemTable, random: np.random.Generator) -> ItemTable:
    from dataclasses import replace

    return replace(items, price=(items.price * 0.9).astype(np.float32), available=random.random(len(items)) < 0.9)


Request = tuple[CandidateSet, NDArray[np.float32], dict[str, NDArray[np.float32]], ItemTable, NDArray[np.bool_]]


def _request(m: int, items: ItemTable, random: np.random.Generator) -> Request:
    index = (random.choice(len(items) - 1, m, replace=False) + 1).astype(np.int32)
    brought = random.random((m, len(SOURCES))) < 0.2
    candidates = CandidateSet(
        index,
        brought * random.random((m, len(SOURCES)), dtype=np.float32),
        brought,
        random.random(m, dtype=np.float32),
        brought.argmax(1).astype(np.int8),
    )
    score = np.sort(random.random(m, dtype=np.float32))[::-1].copy()
    return candidates, score, {name: random.random(m, dtype=np.float32) for name in OBJECTIVES}, items, random.random(m) < 0.1


def _effects(book: RuleBook, context: RuleContext, *request: Any) -> None:
    book.effects(book.active(context), *request)


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    value = call()
    return 1e3 * (time.perf_counter() - started), value


def _percentiles(step: str, call: Callable[[int], Any], calls: int) -> dict[str, Any]:
    for number in range(min(100, calls)):
        call(number)
    cpu = time.process_time()
    times: Sequence[float] = [_timed(lambda: call(number))[0] for number in range(calls)]  # noqa: B023 - called at once
    cpu = 1e3 * (time.process_time() - cpu) / calls
    p50, p95, p99 = np.percentile(times, (50, 95, 99))
    return {"step": step, "p50_ms": float(p50), "p95_ms": float(p95), "p99_ms": float(p99), "cpu_ms": cpu}


if __name__ == "__main__":
    sys.exit(main())
