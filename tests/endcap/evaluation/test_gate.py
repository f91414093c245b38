"""The gate lets nothing worse than the baselines or the champion pass."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.evaluation import Evaluation, Ordering
from endcap.evaluation.gate import GateLimits, decide
from endcap.release.tracking import Champion

LIMITS = GateLimits()


def test_better_than_the_baselines_without_a_champion_is_accepted(make_evaluation: Callable[..., Evaluation]) -> None:
    decision = decide(make_evaluation(), None, LIMITS)
    assert decision.accepted
    assert "no champion yet" in decision.reason


def test_the_first_bundle_is_accepted_whatever_orders_its_lists(make_evaluation: Callable[..., Evaluation]) -> None:
    by_method = Ordering(ordered_by="own_decayed", reason="ordered by own_decayed in place of the ranker")
    decision = decide(make_evaluation(ndcg=0.2, baseline=0.40, recall_new=0.0, ordering=by_method), None, LIMITS)
    assert decision.accepted
    assert "in place of the ranker" in decision.reason


def test_a_worse_bundle_than_the_champion_is_refused_beyond_the_tolerance(make_evaluation: Callable[..., Evaluation]) -> None:
    champion = make_evaluation(ndcg=0.43)
    assert decide(make_evaluation(ndcg=0.426), Champion(7, champion), LIMITS).accepted
    refused = decide(make_evaluation(ndcg=0.424), Champion(7, champion), LIMITS)
    assert not refused.accepted
    assert "champion 0.4300" in refused.reason


UNCOMPARABLE = {
    "measured on other data": {"dataset_fingerprint": "e" * 64},
    "measured on another min_buyers": {"min_buyers": 99},
    "measured on another horizon": {"horizon_days": 3},
}


@pytest.mark.parametrize("why", UNCOMPARABLE)
def test_a_champion_that_cannot_be_compared_refuses_and_names_the_way_out(make_evaluation: Callable[..., Evaluation], why: str) -> None:
    champion = Champion(7, make_evaluation(ndcg=0.1).model_copy(update=UNCOMPARABLE[why]))
    decision = decide(make_evaluation(ndcg=0.45), champion, LIMITS)
    assert not decision.accepted
    assert why in decision.reason and "bundle 7" in decision.reason
    assert "endcap pipeline run --accept-uncompared" in decision.reason


def test_a_champion_whose_evaluation_is_gone_refuses(make_evaluation: Callable[..., Evaluation]) -> None:
    decision = decide(make_evaluation(), Champion(7, None, "its run abc was deleted"), LIMITS)
    assert not decision.accepted
    assert "its run abc was deleted" in decision.reason and decision.uncompared


def test_an_uncompared_bundle_passes_when_somebody_accepts_it_and_says_so(make_evaluation: Callable[..., Evaluation]) -> None:
    limits = GateLimits(accept_uncompared=True)
    decision = decide(make_evaluation(), Champion(7, None, "its run abc was deleted"), limits)
    assert decision.accepted
    assert "NOT COMPARED" in decision.reason and "its run abc was deleted" in decision.uncompared


def test_accepting_uncompared_bundles_lets_no_worse_one_pass(make_evaluation: Callable[..., Evaluation]) -> None:
    limits = GateLimits(accept_uncompared=True)
    compared = decide(make_evaluation(ndcg=0.424), Champion(7, make_evaluation(ndcg=0.43)), limits)
    assert not compared.accepted and compared.uncompared == ""


def test_a_figure_that_is_missing_is_a_refusal(make_evaluation: Callable[..., Evaluation]) -> None:
    assert not decide(make_evaluation(ndcg=float("nan")), Champion(7, make_evaluation()), LIMITS).accepted


@given(ours=st.floats(0, 1), theirs=st.floats(0, 1), least=st.floats(-0.1, 0.1).filter(bool))
def test_the_champion_is_never_replaced_by_one_below_the_limit(ours: float, theirs: float, least: float) -> None:
    from endcap.evaluation.gate import _check

    passed, _ = _check("ranking", "ndcg@10", ours, ("champion", theirs), least)
    assert passed == (ours - theirs >= least)
