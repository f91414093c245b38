"""Fitting a two-tower to the next item of every step of every history."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.contracts.signals import SIGNAL_TYPES, Signals
from endcap.features.columns import HISTORY_LENGTH
from endcap.training.acts import act_steps, history_types, joined_touches
from endcap.training.data_profile import DataProfile
from endcap.training.held_out import HeldOut, hold_out_last
from endcap.training.tensorflow_setup import fit_progress
from endcap_components.train_two_tower.fitted_tower import FittedTower, TowerEnsemble
from endcap_components.train_two_tower.made_variables import blank_batch, make_optimizer_variables
from endcap_components.train_two_tower.next_item.early_stop import EarlyStop, WeightAverage
from endcap_components.train_two_tower.next_item.sequence_batches import SequenceBatches
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import ResolvedHyperparameters, SequenceHyperparameters
from endcap_components.train_two_tower.next_item.sequence_tower import SequenceItemTower, SequenceQueryTower, SequenceTower

HELD_OUT_SHARE = 0.1
WARM_UP_STEPS = 200


@dataclass(frozen=True)
class SequenceFit:
    """What a fit leaves.

    Attributes:
        tower: with the weights of the best epoch.
        metrics: by name: epochs, loss, held out NDCG@10 and HR@10, counts.
    """

    tower: FittedTower
    metrics: dict[str, float]


@dataclass(frozen=True)
class EnsembleFit:
    """What a fit of all members leaves.

    Attributes:
        towers: as one.
        parameters: resolved.
        metrics: of the first member, and the members.
    """

    towers: TowerEnsemble
    parameters: ResolvedHyperparameters
    metrics: dict[str, float]


def fit_ensemble(
    interactions: Interactions,
    attributes: NDArray[np.int32],
    parameters: SequenceHyperparameters,
    seed: int,
    held_out: HeldOut | None = None,
    *,
    signals: Signals | None = None,
) -> EnsembleFit:
    """Fit as many towers as `members` asks for, and join them; call `prepare_tensorflow` before.

    Args:
        interactions: histories to learn from; every step but the first is a target. Where they have signals, those of
            `endcap.training.acts` are, and towers tell types apart.
        attributes: int32 [n + 1, a], codes from 1, 0 for none.
        parameters: None and auto in them are resolved by the data's profile.
        seed: of everything random.
        held_out: histories with the item that came next, whose NDCG@10 decides when to stop; None takes the last item of some users out
            of `interactions`.
        signals: which types histories show, which are predicted, and what they count; None takes the defaults.
    """
    signals, is_typed = signals or Signals(), interactions.signal is not None
    profile = DataProfile.of(joined_touches(interactions) if is_typed else interactions)
    resolved = parameters.resolved(profile, described=bool(attributes.shape[1]))
    if held_out is None:
        users = min(resolved.held_out_users_max, int(interactions.users * HELD_OUT_SHARE))
        interactions, held_out = hold_out_last(interactions, users, np.random.default_rng(seed), signals)
    interactions = act_steps(interactions, signals) if is_typed else interactions
    shown = history_types(signals) if is_typed else None
    seeds = np.random.default_rng(seed).integers(2**31, size=resolved.members)
    fits = [fit_sequence_tower(interactions, attributes, resolved, int(each), held_out, shown) for each in seeds]
    towers = TowerEnsemble([fit.tower for fit in fits])
    counts = {"members": float(resolved.members), **_steps_by_type(interactions)}
    return EnsembleFit(towers, resolved, {**fits[0].metrics, **counts})


def _steps_by_type(steps: Interactions) -> dict[str, float]:
    """How many steps of each type were learned from; nothing where types are not told apart."""
    if steps.signal is None:
        return {}
    counts = np.bincount(steps.signal, minlength=len(SIGNAL_TYPES) + 1)[1:]
    return {f"steps_{name}": float(count) for name, count in zip(SIGNAL_TYPES, counts, strict=True) if count}


def fit_sequence_tower(  # noqa: PLR0917 - as of `fit_ensemble`
    interactions: Interactions,
    attributes: NDArray[np.int32],
    parameters: ResolvedHyperparameters,
    seed: int,
    held_out: HeldOut,
    shown: NDArray[np.bool_] | None = None,
) -> SequenceFit:
    """Build and fit one tower.

    Args:
        interactions: histories; those with signals are steps of `endcap.training.acts.act_steps`.
        attributes, held_out: as of `fit_ensemble`.
        parameters: resolved.
        seed: of everything random.
        shown: as of `build_tower`.
    """
    tf.keras.utils.set_random_seed(seed)
    batches = SequenceBatches.of(interactions, HISTORY_LENGTH, parameters)
    tower = build_tower(batches.trained, attributes, parameters, shown)
    rng = np.random.default_rng(seed)
    steps = len(batches.rows(np.random.default_rng(seed)))
    tower.compile(optimizer=tf.keras.optimizers.legacy.Adam(_schedule(parameters, steps), epsilon=1e-8))
    tower.compute_loss(blank_batch(_signature(batches)))
    make_optimizer_variables(tower)
    dataset = _stream(batches, rng)
    average = WeightAverage(parameters.weight_average)
    stop = EarlyStop(average, held_out, parameters.patience)
    progress = fit_progress("two-tower", epochs=parameters.epochs, steps=steps)
    history = tower.fit(dataset, steps_per_epoch=steps, epochs=parameters.epochs, verbose=0, callbacks=[average, stop, progress])
    losses = history.history["loss"]
    counts = {"trained_items": float(batches.trained.sum()), "examples": float(len(batches.histories) - batches.histories.users)}
    return SequenceFit(FittedTower.of(tower, batches.histories), {**stop.metrics, "loss": float(losses[-1]), **counts})


def build_tower(
    trained: NDArray[np.bool_], attributes: NDArray[np.int32], parameters: ResolvedHyperparameters, shown: NDArray[np.bool_] | None = None
) -> SequenceTower:
    """An untrained tower.

    Args:
        trained: bool [n + 1], items with an id embedding.
        attributes: int32 [n + 1, a].
        parameters: resolved.
        shown: bool by a signal's code, which types histories show; None where types are not told apart.
    """
    described = attributes if parameters.attributes else attributes[:, :0]
    item_tower = SequenceItemTower(parameters.dim, trained, described)
    return SequenceTower(SequenceQueryTower(parameters, HISTORY_LENGTH, shown), item_tower, parameters)


def _schedule(parameters: ResolvedHyperparameters, steps: int) -> tf.keras.optimizers.schedules.LearningRateSchedule:
    total = steps * parameters.epochs
    warm_up = max(1, min(WARM_UP_STEPS, total // 10))
    return tf.keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=max(1, total - warm_up), alpha=0.02, warmup_target=parameters.learning_rate, warmup_steps=warm_up
    )


def _stream(batches: SequenceBatches, rng: np.random.Generator) -> tf.data.Dataset:
    """Batches for ever: epochs differ by a batch or two, and Keras ends a fit whose data runs out."""
    options = tf.data.Options()
    # A thread that is still fetching ahead when training ends waits for the interpreter, and the interpreter for the thread.
    options.experimental_optimization.inject_prefetch = False
    dataset = tf.data.Dataset.from_generator(lambda: batches.endless(rng), output_signature=_signature(batches))
    return dataset.with_options(options)


def _signature(batches: SequenceBatches) -> dict[str, tf.TensorSpec]:
    signature = {
        "history": tf.TensorSpec([None, None], tf.int32),
        "target": tf.TensorSpec([None, None], tf.int32),
        "offset": tf.TensorSpec([None], tf.float32),
    }
    if batches.sampled:
        signature["items"] = tf.TensorSpec([None], tf.int32)
    if batches.histories.signal is not None:
        signature |= {"signal": tf.TensorSpec([None, None], tf.uint8), "weight": tf.TensorSpec([None, None], tf.float32)}
    return signature
