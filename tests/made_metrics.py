"""Transformers that are not there: each a /metrics of its own, whose numbers move as a test says."""

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, Counter, generate_latest

from endcap_transformer.telemetry.metrics import ServingMetrics

Distribution = Mapping[float, float]
"""Share by value; the shares add up to 1."""
SURFACE = "home"
POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a transformer does from now on.

    Attributes:
        requests_per_second: requests of one list each.
        error_share: of those, the share that ends in an error of the server and brings no list.
        degraded_share: of the lists answered, the share with a stage that fell back.
        empty_share: of the lists answered, the share that is empty although an item was eligible.
        latencies_s: seconds of a list.
        top_scores: score of a list's first item.
    """

    requests_per_second: float = 0
    error_share: float = 0
    degraded_share: float = 0
    empty_share: float = 0
    latencies_s: Distribution = field(default_factory=lambda: {0.012: 0.9, 0.024: 0.1})
    top_scores: Distribution = field(default_factory=lambda: {0.015: 0.2, 0.04: 0.5, 0.08: 0.3})


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What shoppers do with the lists of one version from now on.

    Attributes:
        impressions_per_second: shown items whose outcome is known.
        click_share: of those, the share that was clicked.
        purchase_share: of those, the share that was bought.
    """

    impressions_per_second: float = 0
    click_share: float = 0.05
    purchase_share: float = 0.01


class Fractions:
    """Splits amounts by shares into whole numbers, so that nothing is lost over time."""

    def __init__(self) -> None:
        self._left: dict[Any, float] = defaultdict(float)

    def take(self, key: Any, amount: float) -> int:
        self._left[key] += amount
        whole = int(self._left[key] + 1e-9)
        self._left[key] -= whole
        return whole


class MadePage:
    """A /metrics on loopback; before each scrape the time that has gone by is put into the numbers.

    Args:
        registry: what is shown.

    Attributes:
        target: HOST:PORT, for Prometheus.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.lock = threading.Lock()
        self.fractions = Fractions()
        self._moved = time.monotonic()
        self._idle_page: bytes | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._shown))
        self.target = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=POLL_S), daemon=True)
        self._thread.start()

    def move(self, seconds: float) -> None:
        """Put time into the numbers; called with the lock held."""

    @property
    def is_idle(self) -> bool:
        """Whether time moves no number: the page is then made once."""
        return False

    def passed(self) -> None:
        """Put the time since the last call into the numbers; called with the lock held."""
        now = time.monotonic()
        self.move(now - self._moved)
        self._moved = now
        self._idle_page = None

    def close(self) -> None:
        """As when a pod is gone: nothing listens any more."""
        stopping = threading.Thread(target=self._server.shutdown)
        stopping.start()
        with suppress(OSError):  # a connection wakes the server before its next look
            socket.create_connection(self._server.server_address, timeout=1).close()
        stopping.join()
        self._server.server_close()
        self._thread.join()

    def _shown(self) -> bytes:
        with self.lock:
            if self._idle_page is not None:
                return self._idle_page
            self.passed()
            page = generate_latest(self.registry)
            if self.is_idle:
                self._idle_page = page
            return page


class MadeTransformer(MadePage):
    """One pod that serves one bundle.

    Args:
        version: of the bundle it serves; None while it has not loaded one.
        traffic: what it does at first.
    """

    def __init__(self, version: int | None, traffic: Traffic | None = None) -> None:
        self._traffic = traffic or Traffic()
        super().__init__(self._started(version))

    @property
    def traffic(self) -> Traffic:
        return self._traffic

    @property
    def is_idle(self) -> bool:
        return self._traffic.requests_per_second == 0

    def change(self, **changes: Any) -> None:
        """Fields of `Traffic` from now on; what was so far is counted as it was."""
        with self.lock:
            self.passed()
            self._traffic = replace(self._traffic, **changes)

    def restart(self) -> None:
        """As when the container starts anew: all numbers are 0 again."""
        with self.lock:
            self.passed()
            self.registry = self._started(self.version)

    def serve(self, version: int) -> None:
        """Serve another version from now on, in the same pod."""
        self.version = version
        self._idle_page = None
        self._metrics.bundle_served(f"endcap-{version}", version, f"endcap_{version}", 0.0)

    def answer(self, requests: int, **changes: Any) -> None:
        """So many requests at once, with fields of `Traffic` that hold for them only."""
        with self.lock:
            self.passed()
            self._answer(requests, replace(self._traffic, **changes))

    def _started(self, version: int | None) -> CollectorRegistry:
        registry = CollectorRegistry()
        self._metrics = ServingMetrics(registry)
        self._metrics.surface(SURFACE)
        self.version = version
        if version is not None:
            self.serve(version)
        return registry

    def move(self, seconds: float) -> None:
        self._answer(self.fractions.take("requests", self._traffic.requests_per_second * seconds), self._traffic)

    def _answer(self, requests: int, traffic: Traffic) -> None:
        failed = self.fractions.take("failed", requests * traffic.error_share)
        lists = requests - failed
        surface = self._metrics.surface(SURFACE)
        self._metrics.failed.labels("http").inc(failed)
        self._metrics.refused.labels("http").inc(failed)
        surface.lists.inc(lists)
        surface.degraded.inc(self.fractions.take("degraded", lists * traffic.degraded_share))
        self._metrics.empty_answers.inc(self.fractions.take("empty", lists * traffic.empty_share))
        self._spread("seconds", lists, traffic.latencies_s, surface.seconds.observe)
        self._spread("score", lists, traffic.top_scores, surface.top_score.observe)

    def _spread(self, name: str, lists: int, distribution: Distribution, observe: Callable[[float], None]) -> None:
        for value, share in distribution.items():
            for _ in range(self.fractions.take((name, value), lists * share)):
                observe(value)


class MadeOutcomes(MadePage):
    """Whoever joins impressions with what followed: its counters by bundle version.

    Args:
        outcomes: by version, at first.
    """

    def __init__(self, outcomes: Mapping[int, Outcomes] | None = None) -> None:
        registry = CollectorRegistry()
        self._impressions = Counter(
            "endcap_outcome_impressions", "Shown items whose outcome is known.", ["version", "surface"], registry=registry
        )
        self._clicks = Counter("endcap_outcome_clicks", "Of those, clicked.", ["version", "surface"], registry=registry)
        self._purchases = Counter("endcap_outcome_purchases", "Of those, bought.", ["version", "surface"], registry=registry)
        self._outcomes = dict(outcomes or {})
        super().__init__(registry)

    def change(self, version: int, **changes: Any) -> None:
        """Fields of a version's `Outcomes` from now on."""
        with self.lock:
            self.passed()
            self._outcomes[version] = replace(self._outcomes.get(version, Outcomes()), **changes)

    def add(self, version: int, impressions: int, clicks: int = 0, purchases: int = 0) -> None:
        """So much at once."""
        with self.lock:
            self.passed()
            self._add(version, impressions, clicks, purchases)

    def move(self, seconds: float) -> None:
        for version, each in self._outcomes.items():
            impressions = self.fractions.take((version, "impressions"), each.impressions_per_second * seconds)
            clicks = self.fractions.take((version, "clicks"), impressions * each.click_share)
            self._add(version, impressions, clicks, self.fractions.take((version, "purchases"), impressions * each.purchase_share))

    def _add(self, version: int, impressions: int, clicks: int, purchases: int) -> None:
        for counter, amount in ((self._impressions, impressions), (self._clicks, clicks), (self._purchases, purchases)):
            counter.labels(str(version), SURFACE).inc(amount)


@contextmanager
def made_transformer(version: int | None, **traffic: Any) -> Iterator[MadeTransformer]:
    """A pod of a version, with fields of `Traffic`, gone in the end."""
    made = MadeTransformer(version, Traffic(**traffic))
    try:
        yield made
    finally:
        made.close()


@contextmanager
def made_outcomes(outcomes: Mapping[int, Outcomes] | None = None) -> Iterator[MadeOutcomes]:
    made = MadeOutcomes(outcomes)
    try:
        yield made
    finally:
        made.close()


def _handler(page: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            # Prometheus may have given this scrape up; it keeps count of that itself.
            with suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a scrape a second is no news."""

    return Handler
