"""`python -m benchmarks.latency`: latency of the predict endpoint by stage, one client, one request at a time.

Measures what answers at `--url`; without one it starts the parts itself, on the promoted bundle of `ENDCAP_HOME`, or with `--synthetic`
on a bundle with random weights in a temporary home.
"""

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from endcap.cli.failures import report_failure
from endcap.cli.output import print_json, print_table
from endcap.errors import DependencyUnavailable, EndcapError
from endcap.settings import Settings, load_settings

GOALS_P99_MS = {"retrieval": 10.0, "rank": 20.0, "client": 50.0}
START_TIMEOUT_SECONDS = 300.0
USERS = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="the predict endpoint, for example http://127.0.0.1:8080")
    parser.add_argument("--synthetic", action="store_true", help="measure a bundle with random weights")
    parser.add_argument("--items", type=int, default=92_000, help="items of the synthetic bundle")
    parser.add_argument("--dim", type=int, default=64, help="dimensions of the synthetic bundle")
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--warm-up", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    try:
        with _endpoint(options) as (url, users, items):
            rows = measure(url, load_settings().serving.model_name, users, items, requests=options.requests, warm_up=options.warm_up)
    except EndcapError as error:
        report_failure(error)
        return error.exit_code
    if options.json:
        print_json(rows)
    else:
        print_table(f"Latency in ms, {options.requests} requests, one client", rows)
    return 0


def measure(url: str, model: str, users: Sequence[str], items: Sequence[str], *, requests: int, warm_up: int) -> list[dict[str, Any]]:
    """Send requests one after another and summarise by stage.

    Args:
        url: the predict endpoint.
        model: its model.
        users: ids to ask for.
        items: ids for product pages and carts.
        requests: how many are measured.
        warm_up: how many go before them.

    Returns:
        One row a stage and one for the client's side: p50, p95, p99 in ms, the goal for p99 where there is one, the share of requests
        in which the stage fell back.
    """
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=30)
    random = np.random.default_rng(0)
    stages: dict[str, list[float]] = {}
    degraded: dict[str, int] = {}
    for number in track(range(warm_up + requests), "Measuring", console=Console(stderr=True), transient=True):
        body = json.dumps({"instances": [instance(random, users, items)]})
        start = time.perf_counter()
        connection.request("POST", f"/v1/models/{model}:predict", body, {"content-type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        took_ms = (time.perf_counter() - start) * 1000
        if response.status != http.HTTPStatus.OK:
            raise EndcapError(f"the endpoint answered {response.status}: {content[:200].decode(errors='replace')}")
        if number >= warm_up:
            answer = json.loads(content)["predictions"][0]
            for stage, stage_ms in {**answer["timings_ms"], "client": took_ms}.items():
                stages.setdefault(stage, []).append(stage_ms)
            for stage in answer["degraded"]:
                degraded[stage] = degraded.get(stage, 0) + 1
    connection.close()
    return [_row(stage, values, degraded.get(stage, 0) / requests) for stage, values in stages.items()]


def instance(random: np.random.Generator, users: Sequence[str], items: Sequence[str]) -> dict[str, Any]:
    """Half home pages, three in ten product pages, the rest carts."""
    user = str(random.choice(users))
    kind = random.choice(["home", "product", "cart"], p=[0.5, 0.3, 0.2])
    count = {"home": 0, "product": 1, "cart": 3}[str(kind)]
    return {"user_id": user, "surface": str(kind), "item_ids": [str(item) for item in random.choice(items, count, replace=False)], "k": 20}


def _row(stage: str, values: list[float], degraded_share: float) -> dict[str, Any]:
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    goal = GOALS_P99_MS.get(stage)
    met = "" if goal is None else "yes" if p99 < goal else "NO"
    return {
        "stage": stage,
        "p50": round(p50, 2),
        "p95": round(p95, 2),
        "p99": round(p99, 2),
        "goal": goal or "",
        "met": met,
        "fell back": degraded_share,
    }


@contextmanager
def _endpoint(options: argparse.Namespace) -> Iterator[tuple[str, list[str], list[str]]]:
    settings = load_settings()
    if options.url:
        yield options.url, *_ids(settings, options)
    elif options.synthetic:
        with tempfile.TemporaryDirectory(prefix="endcap-latency-") as home:
            command = [sys.executable, "-m", "benchmarks.serve_synthetic", "--items", str(options.items), "--dim", str(options.dim)]
            with _started(command, Path(home)) as url:
                yield url, *_ids(settings, options)
    else:
        with _started([sys.executable, "-m", "endcap", "serve", "--json"], settings.home) as url:
            yield url, *_ids(settings, options)


def _ids(settings: Settings, options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Users and popular items of the served dataset, or of the synthetic bundle."""
    events = settings.data_dir / "events.parquet"
    if options.synthetic or not events.is_file():
        return [f"U{number}" for number in range(USERS)], [f"I{number:06d}" for number in range(1_000)]
    purchases = pl.scan_parquet(events).select("user_id", "item_id").drop_nulls()
    users = purchases.select(pl.col("user_id").unique().sort().head(USERS)).collect()["user_id"].to_list()
    items = purchases.group_by("item_id").len().sort("len", descending=True).head(1_000).collect()["item_id"].to_list()
    return users, items


@contextmanager
def _started(command: list[str], home: Path) -> Iterator[str]:
    """Run the parts on free ports until the body is done.

    Raises:
        DependencyUnavailable: they did not come up.
    """
    ports = _free_ports(4)
    names = ("ENDCAP_SERVING__HTTP_PORT", "ENDCAP_SERVING__GRPC_PORT", "ENDCAP_MODEL_SERVER__PORT", "ENDCAP_MILVUS__PORT")
    environment = os.environ | {"ENDCAP_HOME": str(home)} | {name: str(port) for name, port in zip(names, ports, strict=True)}
    url = f"http://127.0.0.1:{ports[0]}"
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_until_ready(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    place = urlsplit(url)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=1)
        try:
            connection.request("GET", "/v2/health/ready")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.25)
        finally:
            connection.close()
    raise DependencyUnavailable("the parts did not come up", field=url, fix="see what they printed above")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


if __name__ == "__main__":
    sys.exit(main())
