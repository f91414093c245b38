"""The collector alone on one core; the process that sends has another one where there is one."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap_benchmarks.events.collector_process import RunningCollector
from endcap_benchmarks.events.deployment import cpu_reading
from endcap_benchmarks.events.intervals import mean_interval, percentile_interval
from endcap_benchmarks.events.load.plan import EventPlan, SentEvents
from endcap_benchmarks.events.pinned import on_core
from endcap_benchmarks.events.stretches import SEND_MODULE, EventStretches
from endcap_benchmarks.report_table import PERCENTILES
from endcap_benchmarks.serving.load.process import load_process

COLLECTOR_CORE, SENDER_CORE = 0, 1
BATCH_EVENTS = 100
BATCH_CLIENTS, SINGLE_CLIENTS = 8, 32
BATCH_RATE = 20_000.0
"""The goal; latency is measured at half of it."""

BATCH_EVENTS_A_SECOND_MAX, SINGLE_EVENTS_A_SECOND_MAX = 60_000, 8_000
"""Of bodies that are made: no event is sent twice below."""


def batches(collector: RunningCollector, events: EventStretches, seconds: float) -> dict[str, Any]:
    """As many events a second as there are, in batches of a hundred."""
    plan = events.closed_loop(round(BATCH_EVENTS_A_SECOND_MAX * seconds), seconds, BATCH_CLIENTS, BATCH_EVENTS)
    return {"scenario": "collector: batches", "of": _of("100 a request", collector), "clients": BATCH_CLIENTS, **_figures(collector, plan)}


def batches_at_half(collector: RunningCollector, events: EventStretches, seconds: float) -> dict[str, Any]:
    """Latency of batches of a hundred at half of the goal's rate, each due whatever becomes of those before."""
    rate = BATCH_RATE / 2
    plan = events.open_loop(rate, seconds, BATCH_EVENTS)
    of = _of("100 a request", collector)
    return {"scenario": "collector: batches at half", "of": of, "rate": rate, **_figures(collector, plan)}


def singles(collector: RunningCollector, events: EventStretches, seconds: float) -> dict[str, Any]:
    """As many events a second as there are, one a request."""
    plan = events.closed_loop(round(SINGLE_EVENTS_A_SECOND_MAX * seconds), seconds, SINGLE_CLIENTS)
    return {
        "scenario": "collector: single events",
        "of": _of("1 a request", collector),
        "clients": SINGLE_CLIENTS,
        **_figures(collector, plan),
    }


def _of(what: str, collector: RunningCollector) -> str:
    return f"{what}, {'one core' if on_core(SENDER_CORE) else 'all cores'}{', to Kafka' if collector.sends_to_kafka else ''}"


def _figures(collector: RunningCollector, plan: EventPlan) -> dict[str, Any]:
    processes = {"collector": collector.process}
    with load_process(SEND_MODULE, plan, on_core(SENDER_CORE)) as load:
        first = cpu_reading(processes)
        load.go()
        load.await_sent()
        sent_s = time.perf_counter()
        collector.await_confirmed()
        last = cpu_reading(processes)
        sent = SentEvents.read(load.finish())
    cpu_s = last.cpu_s["collector"] - first.cpu_s["collector"]
    accepted, took_ms = int(sent.accepted.sum()), sent.took_ms[sent.is_ok]
    a_second = events_by_second(sent)
    return {
        **{name: {"request": round(float(np.percentile(took_ms, at)), 2)} for name, at in PERCENTILES.items() if len(took_ms)},
        "p99_ms_interval": percentile_interval(took_ms, 99),
        "requests": len(sent.status),
        "requests_failed": int((~sent.is_ok).sum()),
        "events": accepted,
        "events_refused": int(sent.refused.sum()),
        "events_doubled": int(sent.duplicates.sum()),
        "events_per_second": round(float(a_second.mean()), 1) if len(a_second) else None,
        "events_per_second_interval": mean_interval(a_second),
        "seconds": len(a_second),
        "kafka_behind_s": round(last.at_s - sent_s, 2) if collector.sends_to_kafka else None,
        "cpu_s_a_thousand": {"collector": round(cpu_s / max(accepted, 1) * 1000, 4)},
        "cores_used": {"collector": round(cpu_s / (last.at_s - first.at_s), 3)},
        "send_lag_p99_ms": round(float(np.percentile((sent.sent_s - sent.due_s) * 1000, 99)), 2),
    }


def events_by_second(sent: SentEvents) -> NDArray[np.float64]:
    """float64 [seconds]: events that were accepted in each whole second of the stretch."""
    done_s, accepted = sent.done_s[sent.is_ok], sent.accepted[sent.is_ok]
    whole = int(done_s.max()) if len(done_s) else 0
    return np.bincount(done_s.astype(np.int64), weights=accepted, minlength=whole)[:whole].astype(np.float64)
