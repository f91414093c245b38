"""Slow and locked parts, a wall clock that jumps, more requests than can be carried, and the way out."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.faults.deployment import Deployment
from tests.faults.faulty_transformer import write_faults
from tests.faults.load import Load, Outcomes
from tests.waiting import until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KEPT_S = 2.0
"""How long answers are kept where their time is looked at."""


@contextmanager
def locked(deployment: Deployment) -> Iterator[None]:
    """The online store as another writer's transaction leaves it."""
    connection = sqlite3.connect(deployment.settings.feast_dir / "online.db", isolation_level=None, timeout=60)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


def test_locked_online_store_is_named_and_not_waited_for(deployment: Deployment, load: Load) -> None:
    load.wait_for(Outcomes.are_sound, "sound answers", 0)
    known = {"user_id": "U9", "surface": "cart", "item_ids": ["I000123"], "k": 6}
    complete = deployment.predict(known)[0]
    assert not complete["degraded"]
    with locked(deployment):
        time.sleep(1.1)  # until what was read a moment ago has had its time
        begun = time.monotonic()
        stale = deployment.predict(known)[0]
        load.wait_for(lambda outcomes: len(outcomes) >= 48, "there were not enough requests", begun)
        ended = time.monotonic()
    assert "features" in stale["degraded"]
    assert [item["item_id"] for item in stale["recommendations"]] == [item["item_id"] for item in complete["recommendations"]]
    assert {item["source"] for item in stale["recommendations"]} == {"stale_answer"}
    away = load.outcomes(begun, ended)
    away.require_full()
    assert max(each.reply.took_s for each in away.answered().each) < 4.0, away
    named = away.answered().where(lambda each: "user_id" in each.instance)
    assert named.naming("features") >= 0.8 * len(named), away
    load.wait_for(Outcomes.are_sound, "the store did not come back", time.monotonic())
    load.outcomes(begun).require_full()


def test_slow_source_is_left_out_at_its_deadline(deployment: Deployment, load: Load) -> None:
    load.wait_for(Outcomes.are_sound, "sound answers", 0)
    write_faults(deployment.home, search_delay_s=5.0)
    slow = time.monotonic()
    until(lambda: deployment.metric("endcap_breaker_state", dependency="two_tower") == 2, "the circuit did not open", 20)
    load.wait_for(lambda outcomes: len(outcomes) >= 36, "there were not enough requests", slow)
    away = load.outcomes(slow)
    away.require_full()
    at_home = away.known().where(lambda each: each.instance.get("surface", "home") in ("home", "email", "product", "cart"))
    assert at_home.naming("two_tower") >= 0.9 * len(at_home), away
    assert away.naming("rank", "query", "features") <= 0.1 * len(away), away
    write_faults(deployment.home)
    load.wait_for(Outcomes.are_sound, "the source did not come back", time.monotonic())


def test_clock_that_jumps_disturbs_nothing(deployment: Deployment) -> None:
    deployment.transformer.terminate()
    assert deployment.transformer.wait() == 0
    deployment.start_transformer(ENDCAP_REPLAY_AT="now", ENDCAP_CACHE__ANSWER_SECONDS=str(KEPT_S))
    try:
        with Load(deployment.http_port, seed=3).running() as load:
            load.wait_for(Outcomes.are_sound, "sound answers", 0)
            start = time.monotonic()
            for ahead_s in (-3_600.0, 40 * 365 * 86_400.0, 0.0):
                write_faults(deployment.home, clock_ahead_s=ahead_s)
                jumped = time.monotonic()
                load.wait_for(lambda outcomes: len(outcomes) >= 24, "there were not enough requests", jumped)
                assert_answers_age(deployment)
            load.outcomes(start).require_sound()
        assert deployment.metric("endcap_breaker_state", dependency="two_tower") == 0
    finally:
        deployment.transformer.terminate()
        deployment.transformer.wait()
        write_faults(deployment.home)


def assert_answers_age(deployment: Deployment) -> None:
    """A kept answer lives as long as it should: it is there at once, and gone a little after its time."""
    body = {"instances": [{"context": {"page": str(time.monotonic_ns())}}]}
    with httpx.Client(base_url=deployment.url, timeout=10) as client:
        asked_at = 0.0

        def is_kept() -> bool:
            nonlocal asked_at
            asked_at = time.monotonic()
            client.post("/v1/models/endcap:predict", json=body)
            return is_hit(client, body)

        until(is_kept, "the answer was not kept", 20)
        until(lambda: not is_hit(client, body), "the kept answer never went", KEPT_S + 10)
        assert time.monotonic() - asked_at >= KEPT_S - 0.5


def is_hit(client: httpx.Client, body: dict[str, Any]) -> bool:
    time.sleep(0.2)
    return client.post("/v1/models/endcap:predict", json=body).headers.get("x-endcap-cache") == "hit"


def capacity(deployment: Deployment, seconds: float = 2.0) -> float:
    """Answers a second that a few clients get who wait for each."""
    counted: list[int] = []

    def ask(number: int) -> None:
        deadline, own = time.monotonic() + seconds, 0
        with httpx.Client(base_url=deployment.url, timeout=10) as client:
            while time.monotonic() < deadline:
                body = {"instances": [{"user_id": f"U{number}", "surface": "cart", "item_ids": [f"I{number * 300 + own % 300:06d}"]}]}
                own += client.post("/v1/models/endcap:predict", json=body).status_code == 200
        counted.append(own)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counted) / seconds


def test_three_times_what_can_be_carried(deployment: Deployment) -> None:
    rate = 3 * capacity(deployment)
    with Load(deployment.http_port, rate=rate, seed=4).running() as load:
        time.sleep(4)
    crowd = load.outcomes()
    assert not crowd.errors(), crowd
    assert set(crowd.statuses()) <= {200, 429}, crowd
    assert crowd.statuses()[200] >= 0.1 * len(crowd), crowd
    assert all(each.reply.headers["retry-after"] == "1" for each in crowd.each if each.reply.status == 429)
    assert all(each.answer["recommendations"] for each in crowd.answered().each)
    with Load(deployment.http_port, seed=5).running() as later:
        later.wait_for(Outcomes.are_sound, "sound answers after the crowd", 0)
        calm = time.monotonic()
        later.wait_for(lambda outcomes: len(outcomes) >= 24, "there were not enough requests", calm)
        later.outcomes(calm).require_sound()


def test_nothing_accepted_fails_on_the_way_out(deployment: Deployment, load: Load) -> None:
    load.wait_for(Outcomes.are_sound, "sound answers", 0)
    deployment.transformer.terminate()
    told = time.monotonic()
    until(lambda: not deployment.is_ready(), "readiness did not go", 10)
    unready = time.monotonic()
    assert deployment.transformer.code() is None, "readiness went with the process"
    assert deployment.transformer.wait() == 0
    taken = load.outcomes(told - 5)
    failed = taken.where(lambda each: each.error is not None)
    assert all(each.error.startswith("not accepted") for each in failed.each), failed
    assert all(each.sent_at > unready for each in failed.each), (unready - told, [each.sent_at - told for each in failed.each])
    assert set(taken.statuses()) == {200}, taken
    assert "Traceback" not in deployment.transformer.written()
    lines = [json.loads(line) for line in deployment.transformer.written().splitlines() if line.startswith("{")]
    assert any(line.get("event") == "draining" for line in lines)
