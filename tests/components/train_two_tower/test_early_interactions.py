"""What the two-tower may learn from is the same whole and in parts, and ends before the first ranking window."""

from endcap.training.data_profile import DataProfile
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.step import early_interactions, early_parts
from tests.endcap.training.made_artifacts import training_dir


def test_parts_hold_what_the_whole_holds() -> None:
    training = TrainingSet(training_dir())
    whole = early_interactions(training)
    assert len(whole)
    assert DataProfile.of_parts(early_parts(training)) == DataProfile.of(whole)
    assert sorted(item for part in early_parts(training) for item in part.item_index) == sorted(whole.item_index)
    assert min(part.age_days.min() for part in early_parts(training)) > 0
