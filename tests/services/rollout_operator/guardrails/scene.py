"""One real Prometheus for all tests of guardrails, with pods to spare: each test has versions of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from endcap.contracts.rollout import Analysis, Guardrail, Measurement
from endcap_rollout_operator.guardrails.guardrails import Guardrails
from endcap_rollout_operator.guardrails.prometheus import Prometheus
from tests.made_metrics import MadeOutcomes, MadeTransformer, Outcomes, made_outcomes, made_transformer
from tests.prometheus_server import PrometheusServer, running_prometheus

PODS = 48
VERSIONS = range(101, 201)
WINDOW = "10m"


class Scene:
    """What a test measures.

    Args:
        server: the Prometheus.
        pods: idle, without a bundle yet, scraped already.
        outcomes: the page of outcomes, scraped already.

    Attributes:
        since: when most tests' step began: after the pods came, before they did anything.
    """

    since: datetime

    def __init__(self, server: PrometheusServer, pods: list[MadeTransformer], outcomes: MadeOutcomes) -> None:
        self.server = server
        self.prometheus = Prometheus.at(server.url, 10)
        self._idle = pods
        self._taken: list[MadeTransformer] = []
        self._outcomes = outcomes
        self._versions = iter(VERSIONS)

    def version(self) -> int:
        """A version that no other test has, with counters of outcomes at 0."""
        return next(self._versions)

    def pods(self, version: int, count: int = 1) -> list[MadeTransformer]:
        """Pods that serve a version from now on."""
        taken = [self._idle.pop() for _ in range(count)]
        self._taken += taken
        for pod in taken:
            pod.serve(version)
        return taken

    def let_rest(self) -> None:
        """Nobody asks the pods that were taken until now: each busy one costs time at every scrape."""
        while self._taken:
            self._taken.pop().change(requests_per_second=0)

    def pod(self, version: int) -> MadeTransformer:
        return self.pods(version)[0]

    def now(self) -> datetime:
        return datetime.now(UTC)

    def begin(self, *pods: MadeTransformer) -> datetime:
        """A step begins. What pods do after this call falls into its window: their numbers before it are known to Prometheus.

        Windows are whole seconds, so the step began a second before the scrape that shows the numbers at its start.
        """
        began = self.now()
        self.server.wait_for("time()", lambda at: at is not None and at > began.timestamp() + 1)
        self.scraped(*pods)
        return began

    def scraped(self, *pods: MadeTransformer) -> None:
        """Wait until Prometheus knows what pods and outcomes show now."""
        self.server.wait_scraped(self._outcomes.target, *(pod.target for pod in pods))

    def shown(self, version: int, impressions: int, clicks: int = 0, purchases: int = 0) -> None:
        self._outcomes.add(version, impressions, clicks, purchases)

    def guardrails(self, **settings: Any) -> Guardrails:
        return Guardrails(self.prometheus, self.now, **settings)

    def measured(self, guardrail: Guardrail, candidate: int, stable: int | None, **more: Any) -> Measurement:
        """One guardrail's measurement, in a step that began with the scene unless `since` says otherwise."""
        analysis = Analysis(window=WINDOW, guardrails=[guardrail])
        (measurement,) = self.guardrails().measure(analysis, candidate, stable, **{"since": self.since, **more})
        return measurement


@contextmanager
def running_scene(folder: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        pods = [stack.enter_context(made_transformer(None)) for _ in range(PODS)]
        outcomes = stack.enter_context(made_outcomes({version: Outcomes() for version in VERSIONS}))
        targets = [outcomes.target, *(pod.target for pod in pods)]
        server = stack.enter_context(running_prometheus(folder, targets, interval="500ms"))
        server.wait_for("count(up == 1)", lambda count: count == len(targets), 30)
        scene = Scene(server, pods, outcomes)
        scene.since = scene.begin(*pods)
        yield scene
