"""Content, text and image find what is alike, and say what they miss."""

from dataclasses import replace

import numpy as np
import pytest

from endcap.algorithms.content import Content, attribute_weights
from endcap.algorithms.image import Image
from endcap.algorithms.registry import item_to_item_of
from endcap.algorithms.text import Text
from endcap.core.errors import InvalidInput
from tests.endcap.algorithms.made_data import interactions_of, titled, training_data

DATA = titled(training_data([[1, 2, 3], [4, 5]], 8))


def test_rare_attributes_weigh_more_and_items_have_length_one() -> None:
    weights = attribute_weights(np.array([[0, 0], [1, 2], [1, 0], [1, 3]], np.int32)).toarray()
    assert weights[1, 2] > weights[1, 1] > 0
    assert np.linalg.norm(weights, axis=1) == pytest.approx([0, 1, 1, 1])


def test_content_finds_items_with_the_same_attributes_that_nobody_bought() -> None:
    scores = Content().fit(DATA, seed=0).scores(interactions_of([[1]], 8))[0]
    assert scores[7] == scores[1:].max()
    assert np.isneginf(scores[8])


def test_text_finds_items_with_the_same_title() -> None:
    table = item_to_item_of(Text(dimensions=8, titles_min=1).fit(DATA, seed=0), 2)
    assert table.index[1, 0] == 7
    assert table.index[2, 0] == 8


def test_image_finds_the_nearest_embedding() -> None:
    angle = np.array([0, 0.1, 3.0, 0.2, 2.9, 1.5, 1.6, 1.4, 1.7])
    embeddings = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32) * (angle > 0)[:, None]
    table = item_to_item_of(Image().fit(replace(DATA, image_embeddings=embeddings), seed=0), 1)
    assert (table.index[1, 0], table.index[2, 0]) == (3, 4)


def test_items_without_an_image_are_not_recommended() -> None:
    embeddings = np.array(DATA.image_embeddings)
    embeddings[5] = 0
    scores = Image().fit(replace(DATA, image_embeddings=embeddings), seed=0).scores(interactions_of([[1]], 8))
    assert np.isneginf(scores[0, [0, 5]]).all()


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidInput, match="title: no item has one; give the items titles"):
        Text().fit(replace(DATA, items=None), seed=0)
    with pytest.raises(InvalidInput, match="title: no word is in enough of them; lower titles_min"):
        Text(titles_min=100).fit(DATA, seed=0)
    with pytest.raises(InvalidInput, match="image_embeddings: the data has none"):
        Image().fit(replace(DATA, image_embeddings=None), seed=0)
    with pytest.raises(InvalidInput, match=r"image_embeddings: .*9 rows"):
        Image().fit(replace(DATA, image_embeddings=np.ones((3, 2), np.float32)), seed=0)
    with pytest.raises(InvalidInput, match="attributes: no item has any"):
        Content().fit(replace(DATA, attributes=np.zeros((9, 2), np.int32)), seed=0)
