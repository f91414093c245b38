import numpy as np

from endcap_components.train_two_tower.content import ContentBlock, ItemContent
from endcap_components.train_two_tower.warm_start import bought_block, co_purchase_factors, split_by_content


def two_groups(users: int = 40, items: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(users), 6)
    item = rng.integers(0, items // 2, len(user)) + (user % 2) * (items // 2)
    return user.astype(np.int64), item.astype(np.int32)


def test_items_bought_by_the_same_people_point_the_same_way() -> None:
    block = bought_block(*two_groups(), 40, 20)
    factors = co_purchase_factors(lambda: [block], 20, 4, np.random.default_rng(1))
    closeness = factors @ factors.T
    assert closeness[:10, :10].mean() > closeness[:10, 10:].mean() + 0.3
    np.testing.assert_allclose(np.linalg.norm(factors, axis=1), 1, atol=1e-5)


def test_factors_are_those_of_the_whole_matrix_however_it_is_cut() -> None:
    user, item = two_groups()
    whole = bought_block(user, item, 40, 20)
    blocks = [bought_block(user[user % 3 == part], item[user % 3 == part], 40, 20) for part in range(3)]
    once, cut = (co_purchase_factors(lambda given=given: given, 20, 6, np.random.default_rng(1)) for given in ([whole], blocks))
    np.testing.assert_allclose(cut @ cut.T, once @ once.T, atol=1e-4)
    scale = [np.maximum(np.asarray(whole.sum(axis=axis)).ravel(), 1) ** -0.5 for axis in (1, 0)]
    _, strength, directions = np.linalg.svd(scale[0][:, None] * whole.toarray() * scale[1])
    exact = directions[:6].T * np.sqrt(strength[:6])
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    np.testing.assert_allclose(once @ once.T, exact @ exact.T, atol=0.02)


def test_dimensions_beyond_the_data_are_zero() -> None:
    block = bought_block(np.array([0, 0, 1]), np.array([0, 1, 1], dtype=np.int32), 2, 3)
    factors = co_purchase_factors(lambda: [block], 3, 8, np.random.default_rng(1))
    assert factors.shape == (3, 8)
    assert (factors[:, 3:] == 0).all()
    assert (factors[2] == 0).all()


def test_nothing_bought_gives_nothing() -> None:
    assert (co_purchase_factors(list, 3, 2, np.random.default_rng(1)) == 0).all()


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
