"""Every source by name: how it finds candidates. Which of them a surface uses, and how much, is configuration."""

from collections.abc import Mapping

from endcap_transformer.path.sources.buy_again import buy_again
from endcap_transformer.path.sources.complements import complements
from endcap_transformer.path.sources.content import content
from endcap_transformer.path.sources.item_to_item import item_to_item
from endcap_transformer.path.sources.picks import picks
from endcap_transformer.path.sources.popular import popular
from endcap_transformer.path.sources.preferences import preferences
from endcap_transformer.path.sources.recently_viewed import recently_viewed
from endcap_transformer.path.sources.similar_users import similar_users
from endcap_transformer.path.sources.source import Find
from endcap_transformer.path.sources.trending import trending
from endcap_transformer.path.sources.two_tower import TwoTower, VectorSearch


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
