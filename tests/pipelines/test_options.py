from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_pipelines.options import two_tower_of


def test_epochs_hold_whichever_objective_the_data_asks_for() -> None:
    asked = TwoTowerHyperparameters.of(two_tower_of(2))
    assert asked.epochs == asked.next_item.epochs == 2
    assert TwoTowerHyperparameters.of(two_tower_of(None)) == TwoTowerHyperparameters()
