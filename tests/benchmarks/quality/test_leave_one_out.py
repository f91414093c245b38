"""Leave-one-out: the last item is the test, the one before validation, and no model is fitted on either."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from endcap.algorithms.interactions import Interactions
from endcap.core.errors import DataRejected
from endcap_benchmarks.quality.protocols.leave_one_out import LAST_ITEM, leave_one_out_task
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from endcap_benchmarks.quality.task import RankingTask
from tests.properties import examples

Writer = Callable[[Path, Sequence[Sequence[int]]], RecordedPurchases]
SEQUENCES = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=9), min_size=2, max_size=8)


def by_user(task: RankingTask, interactions: Interactions, user_ids: list[str]) -> dict[str, list[int]]:
    return {
        user_id: [
            int(task.items.ids.name(int(code))) for code in interactions.item_index[interactions.start[row] : interactions.start[row + 1]]
        ]
        for row, user_id in enumerate(user_ids)
    }


@given(made=SEQUENCES, held_out=st.sampled_from([("test", 1), ("validation", 2)]))
@examples(12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_learned_seen_and_asked(tmp_path: Path, write_sequences: Writer, made: list[list[int]], held_out: tuple[str, int]) -> None:
    part, back = held_out
    recorded = write_sequences(tmp_path / "data", made)
    judged = {f"u{user}": items for user, items in enumerate(made) if len(items) >= 3 and items[-back] not in items[:-back]}
    if not judged:
        with pytest.raises(DataRejected, match="whose last is new"):
            leave_one_out_task(recorded, part)  # type: ignore[arg-type]
        return
    task = leave_one_out_task(recorded, part)  # type: ignore[arg-type]
    everybody = sorted(f"u{user}" for user in range(len(made)))
    learned = {user_id: made[int(user_id[1:])] for user_id in everybody}
    assert by_user(task, task.training.interactions, everybody) == {
        user_id: items[:-2] if len(items) >= 3 else items for user_id, items in learned.items()
    }
    assert list(task.user_ids) == sorted(judged)
    assert by_user(task, task.histories, list(task.user_ids)) == {user_id: items[:-back] for user_id, items in judged.items()}
    truth = task.truths[LAST_ITEM].items
    assert [int(task.items.ids.name(int(code))) for code in truth.item_index] == [judged[user_id][-back] for user_id in task.user_ids]
    hidden = task.truths[LAST_ITEM].hidden
    assert hidden is not None
    for row, user_id in enumerate(task.user_ids):
        left_out = {int(task.items.ids.name(int(code))) for code in hidden.item_index[hidden.user_row == row]}
        assert left_out == set(judged[user_id][:-back])


def test_ages_count_a_day_a_step_back_from_each_users_own_end(sequences: RecordedPurchases) -> None:
    for part in ("validation", "test"):
        task = leave_one_out_task(sequences, part)
        for interactions in (task.training.interactions, task.histories):
            for row in range(0, interactions.users, 20):
                ages = interactions.age_days[interactions.start[row] : interactions.start[row + 1]]
                assert ages.tolist() == list(range(len(ages), 0, -1))


def test_everything_in_the_catalogue_competes(sequences: RecordedPurchases) -> None:
    task = leave_one_out_task(sequences, "test")
    assert task.item_count == len(sequences.items)
    assert (np.bincount(task.truths[LAST_ITEM].items.user_row) == 1).all()
