"""The next event changes the order: what a visit sees after one more event, and how long that takes.

Search results are asked for, since their list does not explore: without an event the order stays, which is checked as well.
"""

import time
from typing import Any

import httpx

from endcap.core.errors import EndcapError
from endcap.core.polling import poll
from endcap.core.settings import Settings
from endcap_benchmarks.serving.stage import Stage

VISITS = 5
RESULTS = 100
K = 50
WAIT_SECONDS = 5.0
LOOK_EVERY_SECONDS = 0.05


def next_event(stage: Stage, settings: Settings) -> dict[str, Any]:
    """Of some visits, push one more event and ask until the order differs from the one before.

    Args:
        settings: of the product, for everything of the feature store but its home.
    """
    from endcap.features.store.open import open_store
    from endcap.features.store.push import SessionSignals, push_sessions

    store = open_store(settings.model_copy(update={"home": stage.parts.home}))
    results = list(stage.population.items[-RESULTS:])
    waited_ms, steady = [], 0
    for number in range(VISITS):
        session, now_s = f"order-{time.time_ns()}", int(time.time())
        seen = list(stage.population.items[3 * number : 3 * number + 3])
        request = {"session_id": session, "surface": "search", "item_ids": results, "k": K}
        push_sessions(store, [SessionSignals(session, seen[:2], ["view", "view"], [now_s - 60, now_s - 30])])
        before = _order(stage, request)
        steady += _order(stage, request) == before
        push_sessions(store, [SessionSignals(session, seen, ["view"] * 3, [now_s - 60, now_s - 30, now_s])])
        waited_ms.append(_wait_for_another(stage, request, before))
    changed = [waited for waited in waited_ms if waited is not None]
    return {
        "scenario": "next event",
        "items": stage.items,
        "visits": VISITS,
        "steady": steady,
        "changed": len(changed),
        "slowest_ms": round(max(changed), 1) if changed else None,
    }


def _wait_for_another(stage: Stage, instance: dict[str, Any], before: list[str]) -> float | None:
    """Milliseconds until the order is another one, None when it stays."""
    pushed = time.perf_counter()
    changed = poll(lambda: _order(stage, instance) != before, every_s=LOOK_EVERY_SECONDS, within_s=WAIT_SECONDS)
    return (time.perf_counter() - pushed) * 1000 if changed else None


def _order(stage: Stage, instance: dict[str, Any]) -> list[str]:
    """Item ids of a list in which no stage fell back: without the ranker the order would be another one for that alone.

    Raises:
        EndcapError: there was none in time.
    """

    def complete_answer() -> dict[str, Any] | None:
        answer = _answer_of(stage, instance)
        return None if answer is None or answer["degraded"] else answer

    answer = poll(complete_answer, every_s=LOOK_EVERY_SECONDS, within_s=WAIT_SECONDS)
    if answer is None:
        raise EndcapError(f"no list of the whole path within {WAIT_SECONDS:g} s", field="surface", value=instance["surface"])
    return [each["item_id"] for each in answer["recommendations"]]


def _answer_of(stage: Stage, instance: dict[str, Any]) -> dict[str, Any] | None:
    url = f"http://127.0.0.1:{stage.parts.http_port}/v1/models/{stage.model}:predict"
    response = httpx.post(url, json={"instances": [instance]}, timeout=10, trust_env=False, verify=False)  # noqa: S501 - no TLS
    return dict(response.json()["predictions"][0]) if response.status_code == httpx.codes.OK else None
