"""From an accepted event to another list: visits that nobody knows, watched under a load of other events and requests.

Search results are asked for, since their list does not explore: it changes for what the visit did, and now and then for counts of what
others bought, which is looked at as well.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from endcap_benchmarks.events.deployment import Deployment
from endcap_benchmarks.events.intervals import percentile_interval
from endcap_benchmarks.events.load.plan import SentEvents
from endcap_benchmarks.events.load.visits import Probe, Visit, VisitPlan, Watched, read_watched
from endcap_benchmarks.events.stretches import SEND_MODULE
from endcap_benchmarks.report_table import PERCENTILES
from endcap_benchmarks.serving.load.plan import Exchange, read_exchanges
from endcap_benchmarks.serving.load.process import LoadProcess, load_process
from endcap_benchmarks.serving.parts import COLLECTOR_PORT
from endcap_benchmarks.serving.stage import LOAD_MODULE
from endcap_benchmarks.serving.summary import OK, share, statuses
from endcap_benchmarks.serving.usage import LOAD, Usage, between, reading

WATCH_MODULE = "endcap_benchmarks.events.load.watch"
EVENTS_A_VISIT = 4
RESULTS, K = 100, 50
"""Half of the results are listed: of the first twenty, one view in a hundred moves none."""

LOOK_EVERY_SECONDS = 0.4
PATIENCE_SECONDS = 10.0
STEADY_AFTER_SECONDS = 1.5
TAIL_OF_PATIENCE = 1.5
"""How long the load goes on beyond the last visit's beginning, at most: longer than all its events may take."""


def changed_answer(
    deployment: Deployment, *, event_rate: float, predict_rate: float, probes: int, probe_rate: float, patience_s: float = PATIENCE_SECONDS
) -> dict[str, Any]:
    """Milliseconds from the collector's answer until the first other list was there; one that never came counts as the time it was waited.

    Args:
        deployment: all parts.
        event_rate: of other sessions' events, a second.
        predict_rate: of other requests, a second.
        probes: events that are watched, rounded up to whole visits.
        probe_rate: of these a second.
        patience_s: how long a list is looked at for an event.
    """
    plan = _visits(deployment, probes, probe_rate, patience_s)
    seconds = len(plan.visits) * EVENTS_A_VISIT / probe_rate + TAIL_OF_PATIENCE * EVENTS_A_VISIT * patience_s
    stage = deployment.stage
    with (
        load_process(SEND_MODULE, deployment.events.open_loop(event_rate, seconds)) as events,
        load_process(LOAD_MODULE, stage.open_plan("http", predict_rate, seconds)) as predicts,
        load_process(WATCH_MODULE, plan) as watching,
    ):
        loads = (events, predicts, watching)
        watched_processes = stage.parts.processes() | {f"{LOAD} {place}": psutil.Process(load.pid) for place, load in enumerate(loads)}
        first = reading(watched_processes, stage.parts.http_port)
        for load in loads:
            load.go()
        watching.await_sent()
        usage = between(first, reading(watched_processes, stage.parts.http_port))
        watched = read_watched(watching.finish())
        sent, asked = SentEvents.read(_ended(events)), read_exchanges(_ended(predicts))
    return {
        "scenario": "changed answer",
        "of": f"{stage.items:,} items",
        "event_rate": event_rate,
        "predict_rate": predict_rate,
        **_of_probes(watched, patience_s),
        **_of_load(sent, asked, usage),
    }


def _ended(load: LoadProcess) -> Path:
    load.stop()
    load.await_sent()
    return load.finish()


def _visits(deployment: Deployment, probes: int, probe_rate: float, patience_s: float) -> VisitPlan:
    stage = deployment.stage
    results, others = list(stage.population.items[-RESULTS:]), stage.population.items[:-RESULTS]
    random, prefix = np.random.default_rng(len(others)), f"watched-{deployment.events.clock().timestamp():.0f}"
    count = -(-probes // EVENTS_A_VISIT)
    drawn = random.integers(len(others), size=(count, EVENTS_A_VISIT))
    visits = [
        Visit(number * EVENTS_A_VISIT / probe_rate, f"{prefix}-{number}", [others[place] for place in places])
        for number, places in enumerate(drawn)
    ]
    return VisitPlan(
        collector_port=stage.parts.ports[COLLECTOR_PORT],
        predict_port=stage.parts.http_port,
        model=stage.model,
        instance={"surface": "search", "item_ids": results, "k": K},
        visits=visits,
        look_every_s=LOOK_EVERY_SECONDS,
        patience_s=patience_s,
        steady_after_s=STEADY_AFTER_SECONDS,
    )


def _of_probes(watched: Sequence[Watched], patience_s: float) -> dict[str, Any]:
    probes = [probe for each in watched for probe in each.probes]
    unseen = sum(not each.has_list for each in watched) * EVENTS_A_VISIT
    waited = waited_ms(probes, unseen, patience_s)
    accept_ms = np.array([probe.accept_ms for probe in probes if probe.is_accepted])
    looks = sum(probe.looks for probe in probes)
    controls = [each.is_steady for each in watched if each.is_steady is not None]
    controls_changed = sum(not steady for steady in controls)
    stages = {"accepted to changed answer": waited, "sent to accepted": accept_ms}
    return {
        **{
            name: {stage: round(float(np.percentile(values, at)), 1) for stage, values in stages.items() if len(values)}
            for name, at in PERCENTILES.items()
        },
        "p99_ms_interval": percentile_interval(waited, 99),
        "slowest_ms": round(float(waited.max()), 1) if len(waited) else None,
        "probes": len(waited),
        "never_changed": sum(probe.is_accepted and probe.changed_ms is None for probe in probes),
        "not_accepted": sum(not probe.is_accepted for probe in probes),
        "without_list": unseen,
        "looks_a_probe": round(looks / max(len(probes), 1), 2),
        "looks_degraded_share": share(sum(probe.degraded for probe in probes), looks),
        "controls": len(controls),
        "controls_changed": controls_changed,
        "controls_changed_share": share(controls_changed, len(controls)),
    }


def waited_ms(probes: Sequence[Probe], unseen: int, patience_s: float) -> NDArray[np.float64]:
    """float64 [n + unseen]: time until the list changed; of what did not, of events not taken, and of those never sent, the whole patience.

    Args:
        probes: [n] events that were sent.
        unseen: events of visits that never had a list.
        patience_s: how long each was looked for.
    """
    failed = patience_s * 1000
    return np.array([failed if probe.changed_ms is None else probe.changed_ms for probe in probes] + [failed] * unseen)


def _of_load(sent: SentEvents, asked: Sequence[Exchange], usage: Usage) -> dict[str, Any]:
    answered = [each for each in asked if each.status == OK]
    accepted = int(sent.accepted.sum())
    length_s = float(np.nanmax(sent.done_s)) if accepted else 0.0
    return {
        "seconds": round(usage.seconds, 1),
        "events": accepted,
        "events_not_accepted": len(sent.status) - accepted,
        "events_per_second": round(accepted / length_s, 1) if length_s else None,
        "events_accept_p99_ms": round(float(np.percentile(sent.took_ms[sent.is_ok], 99)), 1) if accepted else None,
        "requests": len(asked),
        "requests_answered": len(answered),
        "statuses": statuses(asked),
        "requests_degraded_share": share(sum(bool(each.degraded) for each in answered), len(answered)),
        "requests_p99_ms": round(float(np.percentile([each.took_ms for each in answered], 99)), 1) if answered else None,
        "cores_used": {name: round(cpu_s / usage.seconds, 3) for name, cpu_s in usage.cpu_s.items()},
        "other_cores_used": round(usage.other_cpu_s / usage.seconds, 3),
        "load_average": round(usage.load_average, 2),
    }
