"""A next-item tower so small that a test can fit it."""

from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters

SMALL = SequenceHyperparameters(
    dim=16,
    members=1,
    layers=1,
    heads=2,
    decays=2,
    dropout=0.0,
    attention_dropout=0.0,
    positions=64,
    epochs=6,
    patience=6,
    learning_rate=1e-2,
    weight_average=0.5,
)
