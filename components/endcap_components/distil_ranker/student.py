"""The student: the ranker's own network without crosses and a fraction as wide, so that whatever the teacher sees it sees too."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
from endcap_components.distil_ranker.loss import soft_cross_entropy, soft_listwise
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_ranker.model import Ranker, RankerConstants

TEACHER_LOGITS = "teacher_logits"


class Student(Ranker):
    """One small member that learns from the labels and from a teacher."""

    def __init__(self, parameters: DistillationHyperparameters, constants: RankerConstants) -> None:
        super().__init__(network_of(parameters), constants)
        self._parameters = parameters

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> tf.Tensor:
        """The ranker's own loss on the labels, and the soft losses on `teacher_logits`, weighted by `soft_share`."""
        known = {name: values for name, values in inputs.items() if name != TEACHER_LOGITS}
        hard = super().compute_loss(known, training=training)
        share = self._parameters.soft_share
        if not share:
            return hard
        return (1 - share) * hard + share * self._soft_loss(known, inputs[TEACHER_LOGITS], training)

    def _soft_loss(self, inputs: Mapping[str, Any], teacher_logits: tf.Tensor, training: bool) -> tf.Tensor:
        parameters, queries = self._parameters, tf.shape(inputs["user_numeric"])[0]
        logits = self.members[0](inputs, training=training)
        pointwise = soft_cross_entropy(logits, teacher_logits, parameters.temperature)
        if not parameters.listwise_weight:
            return pointwise
        listwise = soft_listwise(logits[:, 0], teacher_logits[:, 0], inputs["query_row"], queries, parameters.temperature)
        return pointwise + parameters.listwise_weight * listwise


def network_of(parameters: DistillationHyperparameters) -> RankerHyperparameters:
    """The student's network as the ranker's hyperparameters describe it."""
    return RankerHyperparameters(
        cross_layers=0,
        members=1,
        hidden=parameters.hidden,
        user_width=parameters.user_width,
        item_width=parameters.item_width,
        listwise_weight=parameters.listwise_weight,
    )
