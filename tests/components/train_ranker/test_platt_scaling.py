import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap_components.train_ranker.calibration import PlattScaling
from tests.properties import examples


@examples(15)
@given(slope=st.floats(0.3, 3), offset=st.floats(-4, 1), seed=st.integers(0, 100))
def test_scaling_is_recovered_from_labels(slope: float, offset: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logit = rng.normal(size=40_000).astype(np.float32)
    truth = PlattScaling(slope, offset)
    label = (rng.random(len(logit)) < truth.probability(logit)).astype(np.float32)
    found = PlattScaling.fit(logit, label)
    np.testing.assert_allclose(found.probability(logit), truth.probability(logit), atol=0.04)


def test_mean_probability_is_the_share_that_happened() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(size=5000).astype(np.float32)
    label = (rng.random(5000) < 0.07).astype(np.float32)
    assert PlattScaling.fit(logit, label).probability(logit).mean() == pytest.approx(label.mean(), rel=1e-3)


def test_one_class_alone_leaves_the_logits_as_they_are() -> None:
    assert PlattScaling.fit(np.ones(3, dtype=np.float32), np.zeros(3, dtype=np.float32)) == PlattScaling(1.0, 0.0)


def test_order_is_never_turned_around() -> None:
    logit = np.linspace(-1, 1, 100, dtype=np.float32)
    scaling = PlattScaling.fit(logit, (logit < 0).astype(np.float32))
    assert (np.diff(scaling.probability(logit)) >= 0).all()


def test_few_labels_that_the_logit_tells_apart_give_finite_probabilities() -> None:
    logit = np.array([-9, -2, -1, 3, 20], dtype=np.float32)
    scaling = PlattScaling.fit(logit, (logit > 0).astype(np.float32))
    assert 0 < scaling.slope < 10
    assert 0.5 < scaling.probability(logit)[3] < 1
