"""What events do to requests: p99 with a load of events against without, in turns, so that drift hits both alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap_benchmarks.events.deployment import Deployment
from endcap_benchmarks.events.intervals import ratio_interval, ratio_of_percentiles
from endcap_benchmarks.events.load.plan import SentEvents
from endcap_benchmarks.events.stretches import SEND_MODULE
from endcap_benchmarks.serving.load.process import load_process
from endcap_benchmarks.serving.stage import Stretch
from endcap_benchmarks.serving.summary import OK, share

MARGIN_SECONDS = 60.0
"""Events go on until the turn is over; this much longer at most."""


def beside_events(deployment: Deployment, *, event_rate: float, predict_rate: float, turns: int, turn_seconds: float) -> dict[str, Any]:
    """Turns without and with events follow one another; the interval is by bootstrap over pairs of them.

    Args:
        deployment: all parts.
        event_rate: events a second in every second turn.
        predict_rate: requests a second in all turns.
        turns: of each kind.
        turn_seconds: length of a turn.
    """
    pairs: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    stretches: dict[str, list[Stretch]] = {"without": [], "with": []}
    events = not_accepted = 0
    for _ in range(turns):
        without = deployment.stage.open_loop("http", predict_rate, turn_seconds)
        with_, sent = _with_events(deployment, event_rate, predict_rate, turn_seconds)
        events += int(sent.accepted.sum())
        not_accepted += int(len(sent.status) - sent.accepted.sum())
        pairs.append((_took_ms(without), _took_ms(with_)))
        stretches["without"].append(without)
        stretches["with"].append(with_)
    ratio = ratio_of_percentiles(pairs, 99)
    return {
        "scenario": "requests beside events",
        "of": f"{deployment.stage.items:,} items",
        "event_rate": event_rate,
        "rate": predict_rate,
        "turns": turns,
        "turn_seconds": turn_seconds,
        "events": events,
        "events_not_accepted": not_accepted,
        "p99_ratio": None if ratio is None else round(ratio, 3),
        "p99_ratio_interval": ratio_interval(pairs, 99),
        **{f"p99_ms_{name}": _percentile([pair[place] for pair in pairs], 99) for place, name in enumerate(stretches)},
        **{f"p50_ms_{name}": _percentile([pair[place] for pair in pairs], 50) for place, name in enumerate(stretches)},
        **{f"requests_{name}": sum(len(each.exchanges) for each in made) for name, made in stretches.items()},
        **{f"answered_{name}": sum(len(pair[place]) for pair in pairs) for place, name in enumerate(stretches)},
        **{f"degraded_share_{name}": _degraded_share(made) for name, made in stretches.items()},
        "load_average": round(stretches["with"][-1].usage.load_average, 2),
    }


def _with_events(deployment: Deployment, event_rate: float, predict_rate: float, seconds: float) -> tuple[Stretch, SentEvents]:
    """One turn; the stream has taken all of its events when this returns, so that the next turn is without."""
    with load_process(SEND_MODULE, deployment.events.open_loop(event_rate, seconds + MARGIN_SECONDS)) as load:
        load.go()
        stretch = deployment.stage.open_loop("http", predict_rate, seconds)
        load.stop()
        load.await_sent()
        sent = SentEvents.read(load.finish())
    deployment.await_quiet()
    return stretch, sent


def _took_ms(stretch: Stretch) -> NDArray[np.float64]:
    return np.array([each.took_ms for each in stretch.exchanges if each.status == OK])


def _percentile(turns: list[NDArray[np.float64]], at: int) -> float | None:
    values = np.concatenate(turns)
    return round(float(np.percentile(values, at)), 2) if len(values) else None


def _degraded_share(stretches: list[Stretch]) -> float:
    answered = [each for stretch in stretches for each in stretch.exchanges if each.status == OK]
    return share(sum(bool(each.degraded) for each in answered), len(answered))
