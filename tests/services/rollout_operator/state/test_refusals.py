"""Refused effects in the status of a rollout."""

from datetime import timedelta

from endcap.contracts.rollout import Phase, RolloutStatus
from endcap_rollout_operator.state import effects as fx
from endcap_rollout_operator.state.refusals import reason_to_wait, refusal, renewed, still_wanted, with_refusals, without_refusals
from tests.services.rollout_operator.state.made_cluster import START

OWN = RolloutStatus(phase=Phase.PROGRESSING, message="step 1 of 2: 5 % of the traffic")
REFUSED = refusal(fx.SetWeight(5), "patch httproutes/shelf is refused by RBAC: no rights", START)


def test_a_refusal_stands_beside_the_rollouts_own_message() -> None:
    said = with_refusals(OWN, [REFUSED])
    assert said.message == "step 1 of 2: 5 % of the traffic; patch httproutes/shelf is refused by RBAC: no rights"
    assert without_refusals(said).message == OWN.message
    assert with_refusals(without_refusals(said), [REFUSED]) == said
    assert with_refusals(without_refusals(said), []) == OWN


def test_a_rollout_that_says_nothing_yet_says_the_refusal_alone() -> None:
    said = with_refusals(RolloutStatus(), [REFUSED])
    assert (said.message, without_refusals(said).message) == (REFUSED.message, "")


def test_it_stays_until_the_effect_succeeds_or_is_wanted_no_more() -> None:
    assert still_wanted([REFUSED], [fx.SetWeight(50)]) == [REFUSED]
    assert still_wanted([REFUSED], [fx.DeleteCandidate()]) == []
    assert renewed([REFUSED], []) == []


def test_words_that_change_all_the_time_are_written_now_and_then() -> None:
    soon, later = (refusal(fx.SetWeight(5), "another count", START + timedelta(seconds=age)) for age in (5, 31))
    assert renewed([REFUSED], [soon]) == [REFUSED]
    assert renewed([REFUSED], [later]) == [later]
    assert renewed([], [soon]) == [soon]


def test_what_is_refused_is_why_a_rollout_waits() -> None:
    assert reason_to_wait(OWN) == OWN.message
    assert reason_to_wait(without_refusals(with_refusals(OWN, [REFUSED]))) == REFUSED.message
