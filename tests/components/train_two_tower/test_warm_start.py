import numpy as np

from components.train_two_tower.content import ContentBlock, ItemContent
from components.train_two_tower.warm_start import co_purchase_factors, split_by_content


def two_groups(users: int = 40, items: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(users), 6)
    item = rng.integers(0, items // 2, len(user)) + (user % 2) * (items // 2)
    return user.astype(np.int64), item.astype(np.int32)


def test_items_bought_by_the_same_people_point_the_same_way() -> None:
    factors = co_purchase_factors(*two_groups(), 20, 4, np.random.default_rng(1))
    closeness = factors @ factors.T
    assert closeness[:10, :10].mean() > closeness[:10, 10:].mean() + 0.3
    np.testing.assert_allclose(np.linalg.norm(factors, axis=1), 1, atol=1e-5)


def test_dimensions_beyond_the_data_are_zero() -> None:
    factors = co_purchase_factors(np.array([0, 0, 1]), np.array([0, 1, 1], dtype=np.int32), 3, 8, np.random.default_rng(1))
    assert factors.shape == (3, 8)
    assert (factors[:, 3:] == 0).all()
    assert (factors[2] == 0).all()


def test_own_and_content_parts_add_up_to_the_factors() -> None:
    content = ItemContent(
        blocks=(
            ContentBlock(row=np.array([0, 1, 1, 2], dtype=np.int32), codes=np.array([[0, 0], [1, 2], [3, 0]], dtype=np.int32)),
            ContentBlock(row=np.array([0, 1, 2, 1], dtype=np.int32), codes=np.array([[0], [4], [5]], dtype=np.int32)),
        ),
        size=6,
    )
    trained = np.array([1, 3], dtype=np.int32)
    factors = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    attributes, own = split_by_content(factors, trained, content)
    for place, item in enumerate(trained):
        total = own[place].copy()
        for block in content.blocks:
            codes = block.codes[block.row[item]]
            codes = codes[codes > 0]
            total += attributes[codes].sum(axis=0) / np.sqrt(len(codes))
        np.testing.assert_allclose(total, factors[place], atol=1e-5)
