"""The history encoder that the hyperparameters name."""

from typing import Any

from endcap_components.train_two_tower.next_item.history_encoders.decayed_attention import DecayedAttention
from endcap_components.train_two_tower.next_item.history_encoders.gru import Recurrent
from endcap_components.train_two_tower.next_item.history_encoders.mean import RunningMean
from endcap_components.train_two_tower.next_item.history_encoders.self_attention import SelfAttention
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters


def history_encoder(parameters: SequenceHyperparameters, length: int) -> Any:
    """A Keras layer from float32 [n, steps, dim] to the same shape, in which a step sees nothing that comes later.

    Args:
        parameters: resolved.
        length: longest history.
    """
    dim, dropout = parameters.dim, parameters.dropout
    if dim is None or dropout is None:
        raise ValueError("resolve the hyperparameters by the data's profile first")
    if parameters.history_encoder == "mean":
        return RunningMean(dim, dropout)
    if parameters.history_encoder == "gru":
        return Recurrent(dim, dropout)
    stack = {"layers": parameters.layers, "heads": parameters.heads, "length": length}
    dropouts = {"dropout": dropout, "attention_dropout": parameters.attention_dropout}
    if parameters.history_encoder == "self_attention":
        return SelfAttention(dim, **stack, **dropouts)
    return DecayedAttention(dim, decays=parameters.decays, **stack, **dropouts)
