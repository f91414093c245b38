"""What the two-tower may learn from is the same whole and in parts, and ends before the first ranking window."""

from pathlib import Path

import numpy as np

from endcap.contracts.signals import PURCHASE_CODE, VIEW_CODE
from endcap.training.data_profile import DataProfile
from endcap.training.sequence_shards import KEPT, SequenceShardWriter, UserSequences
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.step import early_interactions, early_parts
from tests.endcap.training.made_artifacts import training_dir


def sequence(user_id: str, items: list[int], ages_s: list[int], signals: list[int]) -> UserSequences:
    """One person or visit, so many seconds before the first ranking window."""
    end_s = int(TrainingSet(training_dir()).manifest.ranking_windows[0].timestamp())
    occurred_at = end_s - np.array(ages_s)
    size = np.array([0, len(items)])
    taken_off_at, signal = np.full(len(items), KEPT), np.array(signals, dtype=np.uint8)
    return UserSequences(np.array([user_id]), size, np.array(items, dtype=np.int32), occurred_at, taken_off_at, signal)


def with_sequences(folder: Path, *sequences: UserSequences) -> TrainingSet:
    """The made training set with other sequences, a shard each."""
    folder.mkdir()
    for each in training_dir().iterdir():
        if each.name != "sequences":
            (folder / each.name).symlink_to(each)
    writer = SequenceShardWriter(folder / "sequences")
    for part, one in enumerate(sequences):
        writer.write(one, part)
    writer.close()
    return TrainingSet(folder)


def test_parts_hold_what_the_whole_holds() -> None:
    training = TrainingSet(training_dir())
    whole = early_interactions(training)
    assert len(whole)
    assert DataProfile.of_parts(early_parts(training)) == DataProfile.of(whole)
    assert sorted(item for part in early_parts(training) for item in part.item_index) == sorted(whole.item_index)
    assert min(part.age_days.min() for part in early_parts(training)) > 0


def test_signals_of_people_and_visits_come_from_the_sequences(tmp_path: Path) -> None:
    made = TrainingSet(training_dir())
    first = made.manifest.ranking_windows[0]
    eligible = made.eligible_at(first)
    some, other, missing = *np.flatnonzero(eligible)[:2], np.flatnonzero(~eligible)[0]
    ages_s = [7200, 3600, 1]
    typed = with_sequences(
        tmp_path / "typed",
        sequence("ann", [some, missing, other], ages_s, [VIEW_CODE, VIEW_CODE, PURCHASE_CODE]),
        sequence("visit", [some, missing, other], [7200, 3600, 0], [VIEW_CODE] * 3),
    )
    early = early_interactions(typed)
    # What nobody may be shown yet is left out, and so is what comes from the window on.
    assert early.start.tolist() == [0, 2, 3]
    assert early.item_index.tolist() == [some, other, some]
    assert early.signal is not None
    assert early.signal.tolist() == [VIEW_CODE, PURCHASE_CODE, VIEW_CODE]


def test_purchases_alone_have_no_signals() -> None:
    assert early_interactions(TrainingSet(training_dir())).signal is None
