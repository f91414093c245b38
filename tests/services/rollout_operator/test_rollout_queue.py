"""Who is next."""

from datetime import timedelta

from endcap.contracts.rollout import Phase, RolloutStatus
from endcap_rollout_operator.rollout_queue import queues
from tests.services.rollout_operator.state.made_cluster import START, made_rollout, made_spec

LATER = START + timedelta(seconds=1)


def test_the_oldest_is_first_and_names_settle_a_tie() -> None:
    rollouts = [made_rollout(name="c", created_at=LATER), made_rollout(name="b"), made_rollout(name="a")]
    assert [each.name for each in queues(rollouts)["endcap"]] == ["a", "b", "c"]


def test_one_that_has_begun_stays_before_all_that_have_not() -> None:
    begun = made_rollout(name="b", status=RolloutStatus(phase=Phase.PROGRESSING))
    rollouts = [made_rollout(name="a", status=RolloutStatus(phase=Phase.WAITING)), begun]
    assert [each.name for each in queues(rollouts)["endcap"]] == ["b", "a"]


def test_targets_do_not_wait_for_each_other() -> None:
    other = made_rollout(name="other", spec=made_spec().model_copy(update={"target": "second"}))
    assert {target: [each.name for each in queue] for target, queue in queues([made_rollout(), other]).items()} == {
        "endcap": ["endcap-2"],
        "second": ["other"],
    }
