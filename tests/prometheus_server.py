"""A real Prometheus on loopback that scrapes what a test tells it to."""

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml

from endcap.core.files import replace_text
from endcap.core.polling import poll
from endcap.core.ports import free_port
from tests.debian_programs import DebianProgram, required_program

READY_S = 30.0
POLL_S = 0.1
STARTS_MAX = 3


class PrometheusServer:
    """One that runs.

    Args:
        url: where it answers.
        targets_file: the file it reads its targets from.

    Attributes:
        url: for example http://127.0.0.1:41231.
    """

    def __init__(self, url: str, targets_file: Path) -> None:
        self.url = url
        self._targets_file = targets_file
        self._client = httpx.Client(base_url=url, timeout=10)

    def scrape(self, targets: Iterable[str]) -> None:
        """Scrape these from now on, and nothing else; each is HOST:PORT and becomes the label `instance`.

        Prometheus looks at its list every 5 s, which cannot be set: make all targets first, then the list once.
        """
        replace_text(self._targets_file, json.dumps([{"targets": sorted(targets)}]))

    def value(self, query: str) -> float | None:
        """The first number a query gives; None when its result is empty."""
        answer = self._client.get("/api/v1/query", params={"query": query})
        assert answer.status_code == 200, answer.text
        data = answer.json()["data"]
        if data["resultType"] == "scalar":
            return float(data["result"][1])
        return float(data["result"][0]["value"][1]) if data["result"] else None

    def wait_for(self, query: str, predicate: Callable[[float | None], bool], deadline_s: float = 20) -> float | None:
        """Ask again and again until a query's first number is as wanted.

        Raises:
            AssertionError: it was not, by the deadline.
        """
        value = poll(lambda: self.value(query), every_s=POLL_S, within_s=deadline_s, is_there=predicate)
        assert predicate(value), f"{query} stayed at {value} for {deadline_s} s"
        return value

    def wait_scraped(self, *targets: str, deadline_s: float = 20) -> None:
        """Wait until each target has been scraped anew, so that what it shows now is known."""
        called = time.time()
        for target in targets:
            up = f'up{{instance="{target}"}}'
            self.wait_for(f"timestamp({up}) and {up} == 1", lambda at: at is not None and at > called, deadline_s)

    def close(self) -> None:
        self._client.close()


@contextmanager
def running_prometheus(folder: Path, targets: Iterable[str] = (), *, interval: str = "1s") -> Iterator[PrometheusServer]:
    """Start Prometheus, wait until it is ready, stop it in the end; the test is skipped where there is none.

    Args:
        folder: where it keeps its files.
        targets: HOST:PORT of what is scraped first.
        interval: time between two scrapes, as Prometheus writes it.
    """
    program = required_program("prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    targets_file = folder / "targets.json"
    (folder / "prometheus.yml").write_text(_configuration(targets_file, interval))
    process, url = _started(program, folder)
    server = PrometheusServer(url, targets_file)
    try:
        server.scrape(targets)
        yield server
    finally:
        server.close()
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _configuration(targets_file: Path, interval: str) -> str:
    discovery = [{"files": [str(targets_file)], "refresh_interval": "1s"}]
    jobs = [{"job_name": "made", "file_sd_configs": discovery}]
    return yaml.safe_dump({"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": jobs})


def _started(program: DebianProgram, folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    log = folder / "prometheus.log"
    for _ in range(STARTS_MAX):
        address = f"127.0.0.1:{free_port()}"
        arguments = [
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--scrape.discovery-reload-interval=100ms",
        ]
        with log.open("wb") as written:
            process = subprocess.Popen([program.path, *arguments], env=program.environment(), stdout=written, stderr=written)
        if _ready(process, f"http://{address}"):
            return process, f"http://{address}"
    raise AssertionError(f"Prometheus did not start: {log.read_text()[-2000:]}")


def _ready(process: "subprocess.Popen[bytes]", url: str) -> bool:
    """Whether it came up; one that ended had its port taken, perhaps."""
    until = time.monotonic() + READY_S
    while process.poll() is None:
        try:
            if httpx.get(f"{url}/-/ready", timeout=2).status_code == 200:
                return True
        except httpx.TransportError:
            time.sleep(POLL_S)
        if time.monotonic() > until:
            process.kill()
            process.wait()
    return False
