from typing import get_args

from endcap.core.settings import ExplorationSettings
from endcap.engine.exploration.policies import policy_of, request_random


def test_every_policy_that_settings_may_name_is_there() -> None:
    names = get_args(ExplorationSettings.model_fields["policy"].annotation)
    assert [policy_of(ExplorationSettings(policy=name)).name for name in names] == list(names)


def test_a_request_has_its_own_randomness_and_always_the_same() -> None:
    assert request_random("a").random() == request_random("a").random() != request_random("b").random()
    assert 0 <= request_random("\ud800").random() < 1
