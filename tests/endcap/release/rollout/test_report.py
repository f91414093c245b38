"""A rollout for people."""

from datetime import timedelta

import pytest

from endcap.release.rollout.report import guardrail_rows, lasting, overview_row, summary_rows
from tests.services.rollout_operator.state.made_cluster import START, MadeCluster, made_rollout


def test_a_new_rollout_says_that_nobody_looked_at_it() -> None:
    rows = {row["field"]: row["value"] for row in summary_rows(made_rollout(), START)}
    assert "no operator" in rows["phase"] and "step" not in rows
    assert overview_row(made_rollout(), START + timedelta(seconds=90))["age"] == "1m30s"


def test_a_step_shows_its_weight_its_requests_and_what_it_waits_for() -> None:
    made = MadeCluster(made_rollout(), verdict=lambda weight: "missing")
    made.pass_time(10)
    rows = {row["field"]: row["value"] for row in summary_rows(made.rollout, made.now)}
    assert (rows["step"], rows["weight"]) == ("1/3", "5 % of the traffic")
    assert "errors to have data" in rows["why"]
    assert guardrail_rows(made.rollout)[0]["verdict"] == "missing"


def test_the_pods_of_both_versions_are_shown_while_it_is_under_way() -> None:
    made = MadeCluster(made_rollout(), stable_pods=3, stable_min=1)
    made.run(lambda made: made.status.current_step_index == 1)
    rows = {row["field"]: row["value"] for row in summary_rows(made.rollout, made.now)}
    assert rows["pods"] == "the candidate needs 2 for 50 % of the traffic, the target keeps 3"
    made.run_to_end()
    assert "pods" not in {row["field"] for row in summary_rows(made.rollout, made.now)}


def test_a_rollback_shows_what_tripped_and_how_long_it_took() -> None:
    made = MadeCluster(made_rollout(), verdict=lambda weight: "fail").run_to_end()
    rows = {row["field"]: row["value"] for row in summary_rows(made.rollout, made.now)}
    assert "errors" in rows["tripped"] and "0.5" in rows["tripped"]
    assert "after the decision" in rows["completed"]
    (row,) = guardrail_rows(made.rollout)
    assert (row["value"], row["limit"], row["failures"]) == ("0.5", "at most 0.01", "1 of 0 allowed")


def test_a_guardrail_that_was_not_measured_yet_is_shown() -> None:
    assert guardrail_rows(made_rollout())[0]["verdict"] == "not measured"


@pytest.mark.parametrize(("seconds", "text"), [(-3, "0s"), (0, "0s"), (59, "59s"), (200, "3m20s"), (3_600, "1h"), (90_000, "1d1h")])
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert lasting(seconds) == text
