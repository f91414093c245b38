"""Every source by name: how it finds candidates. Which of them a surface uses, and how much, is configuration."""

from collections.abc import Mapping

from transformers.sources.buy_again import buy_again
from transformers.sources.complements import complements
from transformers.sources.content import content
from transformers.sources.item_to_item import item_to_item
from transformers.sources.picks import picks
from transformers.sources.popular import popular
from transformers.sources.preferences import preferences
from transformers.sources.recently_viewed import recently_viewed
from transformers.sources.similar_users import similar_users
from transformers.sources.source import Find
from transformers.sources.trending import trending
from transformers.sources.two_tower import TwoTower, VectorSearch


def source_registry(search: VectorSearch, timeout_ms: float) -> Mapping[str, Find]:
    """The sources of one process.

    Args:
        search: the vector search.
        timeout_ms: after this a search is given up for good.
    """
    return {
        "two_tower": TwoTower(search, timeout_ms),
        "item_to_item": item_to_item,
        "buy_again": buy_again,
        "popular": popular,
        "trending": trending,
        "content": content,
        "complements": complements,
        "recently_viewed": recently_viewed,
        "similar_users": similar_users,
        "preferences": preferences,
        "picks": picks,
    }
