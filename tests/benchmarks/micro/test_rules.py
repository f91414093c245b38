"""The benchmark of rules measures what it says, at a size that takes no time."""

import argparse

import numpy as np

from endcap.engine.rules.conditions.columns import CANDIDATE_COLUMNS
from endcap.engine.rules.enabled_rules import EnabledRules
from endcap_benchmarks.micro.rules import catalogue, made_rules, measure


def test_every_step_is_measured() -> None:
    options = argparse.Namespace(items=500, candidates=50, rules=30, candidate_rules=5, calls=5)
    rows = measure(options)
    assert [row["step"] for row in rows if row["p99_ms"] is not None] == ["active", "active + effects", "active + effects of an empty book"]
    assert all(row["p50_ms"] > 0 for row in rows)


def test_the_rules_are_of_every_kind() -> None:
    enabled = EnabledRules.of(made_rules(200, 20, catalogue(500, np.random.default_rng(1))))
    about_requests = [entry for entry in enabled.rules if any(column.name in (entry.rule.where or "") for column in CANDIDATE_COLUMNS)]
    assert len(enabled.rules) == 200 and len(about_requests) == 20
    assert {entry.rule.action for entry in enabled.rules} >= {"boost", "bury", "exclude", "cap", "minimum_share"}
