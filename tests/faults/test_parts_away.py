"""A part that is killed or frozen under load, and comes back."""

import time

import pytest

from tests.faults.deployment import Deployment
from tests.faults.load import Load, Outcomes
from tests.waiting import until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
LOOKED_AT = 36
"""Requests during a fault: three of every kind."""


def look(load: Load, since: float) -> Outcomes:
    """What a fault makes of a few seconds of requests."""
    load.wait_for(lambda outcomes: len(outcomes) >= LOOKED_AT, "there were not enough requests", since)
    outcomes = load.outcomes(since)
    outcomes.require_full()
    return outcomes


def test_milvus_killed_and_back(deployment: Deployment, load: Load) -> None:
    load.wait_for(Outcomes.are_sound, "sound answers", 0)
    deployment.milvus.kill()
    killed = time.monotonic()
    until(lambda: deployment.metric("endcap_breaker_state", dependency="two_tower") == 2, "the circuit did not open", 20)
    away = look(load, killed)
    at_home = away.known().where(lambda each: each.instance.get("surface", "home") in ("home", "email", "product", "cart"))
    assert at_home.naming("two_tower") >= 0.9 * len(at_home), at_home
    assert away.naming("query", "rank", "features") <= 0.1 * len(away), away
    deployment.milvus.start()
    deployment.milvus.wait_until_ready()
    back = time.monotonic()
    load.wait_for(Outcomes.are_sound, "two_tower did not come back", back, 60)
    load.outcomes(killed).require_full()
    assert deployment.metric("endcap_breaker_state", dependency="two_tower") == 0


def test_model_server_killed_and_back(deployment: Deployment, load: Load) -> None:
    load.wait_for(Outcomes.are_sound, "sound answers", 0)
    deployment.model_server.kill()
    killed = time.monotonic()
    away = look(load, killed)
    assert names_the_model_alone(away), away
    deployment.model_server.start()
    deployment.model_server.wait_until_ready()
    load.wait_for(Outcomes.are_sound, "the model server did not come back", time.monotonic(), 60)
    load.outcomes(killed).require_full()


@pytest.mark.parametrize(("freeze", "is_named"), [("model_server", ("query", "rank")), ("milvus", ("two_tower",))])
def test_part_frozen_and_thawed(deployment: Deployment, load: Load, freeze: str, is_named: tuple[str, ...]) -> None:
    load.wait_for(Outcomes.are_sound, "sound answers", 0)
    part = getattr(deployment, freeze)
    part.freeze()
    frozen = time.monotonic()
    try:
        away = look(load, frozen)
    finally:
        part.thaw()
    asked = away.known().where(lambda each: each.instance.get("surface", "home") in ("home", "email", "product", "cart"))
    assert asked.naming(*is_named) >= 0.9 * len(asked), asked
    load.wait_for(Outcomes.are_sound, f"{freeze} did not come back", time.monotonic(), 60)
    load.outcomes(frozen).require_full()


def names_the_model_alone(away: Outcomes) -> bool:
    """Everybody with a history is told that the ranker was away; those whose query was kept still have the vector search."""
    told = away.known().naming("query", "rank") >= 0.9 * len(away.known())
    return told and away.naming("two_tower", "features") <= 0.1 * len(away)
