"""A rollout rolled back by clicks that came through the collector: no number of it is made."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from prometheus_client import CollectorRegistry

from endcap.contracts.rollout import Analysis, BuiltIn, Guardrail, Measurement, Pause, Phase
from endcap.core.ports import free_port
from endcap.core.settings import OutcomeSettings, Settings
from endcap.events.log.batches import Impressions
from endcap.events.log.writer import EventLog
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.whole_log import outcome_functions
from endcap.events.outcomes.windows import Windows
from endcap.events.stream.subscription import NeededConsent, Subscription
from endcap_rollout_operator.guardrails.guardrails import Guardrails
from endcap_rollout_operator.guardrails.prometheus import Prometheus
from endcap_rollout_operator.state import effects as fx
from endcap_stream.endpoints import serving
from endcap_stream.job import Job
from endcap_stream.outcome_metrics import OutcomeCollector
from endcap_stream.outcome_tables import OutcomeTables
from endcap_stream.rounds import beside
from tests.prometheus_server import PrometheusServer, running_prometheus
from tests.services.collector.collector_process import CollectorProcess
from tests.services.rollout_operator.state.made_cluster import MadeCluster, made_rollout, made_spec

pytestmark = pytest.mark.processes

STABLE, CANDIDATE = 1, 2
LISTS = 300
CLICKS = Guardrail(name="clicks", built_in=BuiltIn.CLICK_THROUGH, limit=-0.05, direction="atLeast")
WINDOW = timedelta(seconds=3)


def now() -> datetime:
    return datetime.now(UTC)


def show(log: EventLog, version: int, lists: int) -> list[str]:
    """Lists of one item, as the transformer logs them; their requests."""
    requests = [str(uuid4()) for _ in range(lists)]
    for request in requests:
        log.emit(
            Impressions(request, None, request, "home", None, ["tea"], [1], [1.0], ["popular"], f"endcap-{version}", "a", now(), True, True)
        )
    return requests


def click(collector: CollectorProcess, requests: list[str]) -> None:
    """A click on each of these lists, as a page sends it."""
    moment = now().isoformat()
    events = [
        {
            "event_id": str(uuid4()),
            "event_type": "click",
            "occurred_at": moment,
            "sent_at": moment,
            "session_id": request,
            "request_id": request,
            "item_id": "tea",
            "position": 1,
            "surface": "home",
        }
        for request in requests
    ]
    answer = httpx.post(f"{collector.address}/v1/events", json=events, trust_env=False)
    assert answer.status_code < 300, answer.text


@contextmanager
def counted(settings: Settings) -> Iterator[str]:
    """The stream's outcomes over the log of a home folder; the address of their /metrics."""
    registry, store, stop = CollectorRegistry(), JournalStore(settings.outcomes_dir), threading.Event()
    registry.register(OutcomeCollector(store.totals))
    functions = outcome_functions(Windows.of(settings.outcomes))
    job = Job(settings, [Subscription(each, store.sink(each.name), NeededConsent.NONE) for each in functions], registry)
    thread, port = threading.Thread(target=job.run, args=(stop,)), free_port()
    tables = OutcomeTables(store, settings, now)
    with serving("127.0.0.1", port, registry, lambda: True), beside("outcomes", tables.run, threading.Event(), stop.set):
        thread.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            stop.set()
            thread.join(60)


def impressions(prometheus: PrometheusServer, lists: int) -> None:
    prometheus.wait_for("sum(endcap_outcome_impressions_total)", lambda found: found is not None and found >= lists, 60)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    """clickThrough after a step in which half of the stable version's lists and hardly any of the candidate's were clicked on."""
    home = tmp_path_factory.mktemp("shop") / "home"
    settings = Settings(home=home, outcomes=OutcomeSettings(list_minutes=WINDOW.total_seconds() / 60))
    log = EventLog(settings.event_log_dir)
    with ExitStack() as stack:
        collector = CollectorProcess(home)
        stack.callback(collector.end, 15)
        target = stack.enter_context(counted(settings))
        prometheus = stack.enter_context(running_prometheus(tmp_path_factory.mktemp("prometheus"), [target], interval="500ms"))
        show(log, STABLE, 1)
        show(log, CANDIDATE, 1)
        impressions(prometheus, 2)
        since = now()
        # The growth since a moment is known from the first scrape after it: the step's lists come some scrapes later.
        for _ in range(4):
            prometheus.wait_scraped(target)
        stable, candidate = show(log, STABLE, LISTS), show(log, CANDIDATE, LISTS)
        click(collector, stable[: LISTS // 2] + candidate[: LISTS // 20])
        impressions(prometheus, 2 + 2 * LISTS)
        guardrails = Guardrails(Prometheus.at(prometheus.url, 10), now, outcome_window=WINDOW)
        deadline = time.monotonic() + 30
        while True:
            (found,) = guardrails.measure(Analysis(guardrails=[CLICKS]), CANDIDATE, STABLE, since)
            if found.verdict != "missing" or time.monotonic() > deadline:
                log.close()
                return found
            prometheus.wait_scraped(target)


def test_the_guardrail_counts_what_the_collector_took(measured: Measurement) -> None:
    assert measured.verdict == "fail", measured
    assert measured.stable == pytest.approx(0.5, abs=0.02)
    assert "clicks of" in measured.message


def test_the_rollout_is_rolled_back_by_it(measured: Measurement) -> None:
    made = MadeCluster(
        made_rollout(made_spec(50, 100, pause=Pause(duration="10m"), guardrails=[CLICKS])), verdict=lambda _: measured.verdict
    )
    made.run_to_end()
    assert (made.status.phase, made.status.reason) == (Phase.FAILED, "GuardrailTripped")
    assert [effect.weight for effect in made.done if isinstance(effect, fx.SetWeight)][-1] == 0
