"""Every source by name: how it finds candidates. Which of them a surface uses, and how much, is configuration."""

from collections.abc import Mapping

import numpy as np

from endcap.engine.retrieval.buy_again import buy_again_candidates
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.complements import complements_candidates
from endcap.engine.retrieval.content import content_candidates
from endcap.engine.retrieval.ease import ease_candidates
from endcap.engine.retrieval.item_to_item import item_to_item_candidates
from endcap.engine.retrieval.left_in_cart import left_in_cart_candidates
from endcap.engine.retrieval.ordering import picks_candidates, recently_viewed_candidates
from endcap.engine.retrieval.popular import popular_candidates
from endcap.engine.retrieval.preferences import preferences_candidates
from endcap.engine.retrieval.similar_users import similar_users_candidates
from endcap.engine.retrieval.trending import trending_candidates
from endcap_transformer.path.resolving import NO_ITEMS
from endcap_transformer.path.sources.source import Find, SourceRequest
from endcap_transformer.path.sources.two_tower import NearestSearch, TwoTowerSearch

REMOTE = ("two_tower",)
"""Sources that call another part; they are started before those that read memory, and awaited after them."""
OWN_HISTORY_MAX = 10
"""With more items of their own than this, a person's own history says more than similar users do."""


def source_registry(search: NearestSearch, timeout_ms: float) -> Mapping[str, Find]:
    """The sources of one process.

    Args:
        search: the vector search.
        timeout_ms: after this a search is given up for good.
    """
    return {
        **remote_sources(search, timeout_ms),
        "item_to_item": item_to_item,
        "buy_again": buy_again,
        "popular": popular,
        "left_in_cart": left_in_cart,
        "ease": ease,
        "trending": trending,
        "content": content,
        "complements": complements,
        "recently_viewed": recently_viewed,
        "similar_users": similar_users,
        "preferences": preferences,
        "picks": picks,
    }


def remote_sources(search: NearestSearch, timeout_ms: float) -> Mapping[str, Find]:
    """Those that call another part, by name.

    Args:
        search: the vector search.
        timeout_ms: after this a search is given up for good.
    """
    return {"two_tower": TwoTowerSearch(search, timeout_ms)}


def item_to_item(request: SourceRequest, quota: int) -> Candidates:
    """Bought by those who bought what the person bought, looked at, or has before them; on a page its items alone count."""
    resolved, state = request.resolved, request.state
    if resolved.is_page:
        state = state.without_newest(max(len(state.history), len(state.session)))
    elif len(resolved.viewed):
        state = state.without_newest(len(resolved.viewed))
    return item_to_item_candidates(resolved.served.tables.item_to_item, state, resolved.items, request.eligible.of, quota)


def buy_again(request: SourceRequest, quota: int) -> Candidates:
    """What the person buys regularly, most likely first."""
    return buy_again_candidates(request.resolved.served.tables.repurchase_gap_days, request.state, request.eligible.of, quota)


def popular(request: SourceRequest, quota: int) -> Candidates:
    """Most bought of late in the person's region and segment, and by everybody."""
    return popular_candidates(request.resolved.served.trends.popular, request.segments, request.eligible.of, quota)


def left_in_cart(request: SourceRequest, quota: int) -> Candidates:
    """What the person put into the cart and has not bought, latest first."""
    return left_in_cart_candidates(request.state, request.eligible.of, quota)


def ease(request: SourceRequest, quota: int) -> Candidates:
    """What EASE finds in all that the person has, this visit included; on a page in its items alone. Nothing without its table."""
    resolved = request.resolved
    page = resolved.items if resolved.is_page else NO_ITEMS
    return ease_candidates(resolved.served.tables.ease, request.state, page, request.eligible.of, quota)


def trending(request: SourceRequest, quota: int) -> Candidates:
    """Bought more of late than usual, in the person's region and segment, and by everybody."""
    return trending_candidates(request.resolved.served.trends.trending, request.segments, request.eligible.of, quota)


def content(request: SourceRequest, quota: int) -> Candidates:
    """Items without a history that match what the person likes, or the page."""
    resolved, state = request.resolved, request.state
    # What was looked at is in the session already.
    seeds = resolved.items if resolved.is_page else np.concatenate([state.session, resolved.items[len(resolved.viewed) :]])
    return content_candidates(resolved.served.content, state, seeds, request.eligible.of, quota)


def complements(request: SourceRequest, quota: int) -> Candidates:
    """What goes into one basket with the page's items more often than chance would have it."""
    resolved = request.resolved
    seeds = resolved.items if resolved.is_page else request.state.session
    return complements_candidates(resolved.served.tables.complements, seeds, request.eligible.of, quota)


def recently_viewed(request: SourceRequest, quota: int) -> Candidates:
    """What the person looked at in this visit and has not bought in it."""
    return recently_viewed_candidates(request.state.session, request.session_bought, request.eligible.of, quota)


def similar_users(request: SourceRequest, quota: int) -> Candidates:
    """For people with hardly any history, what their nearest neighbours among known users buy."""
    if request.query is None or len(request.state.pair_index) > OWN_HISTORY_MAX:
        return Candidates.none()
    return similar_users_candidates(request.resolved.served.tables.similar_users, request.query.embedding, request.eligible.of, quota)


def preferences(request: SourceRequest, quota: int) -> Candidates:
    """The most bought items of the tastes a person stated, and of the category a request is filtered by."""
    stated, filters, served = request.resolved.instance.preferences, request.resolved.filters, request.resolved.served
    categories = [*stated.categories, *(filters.categories or ())]
    brands = [*stated.brands, *(filters.brands or ())]
    if not categories and not brands:
        return Candidates.none()
    codes = [served.categories.codes_by_name.get(name, ()) for name in categories]
    return preferences_candidates(
        served.popular_within, codes, served.tables.items.brands.codes(brands).tolist(), request.eligible.of, quota
    )


def picks(request: SourceRequest, quota: int) -> Candidates:
    """Items that an editor chose for this surface, and those that a rule needs among the candidates."""
    book = request.resolved.served.rules
    chosen, required = book.picks(request.rules), book.required(request.rules)
    if not len(chosen) and not len(required):
        return Candidates.none()
    both = np.concatenate([chosen, required])
    _, first = np.unique(both, return_index=True)
    return picks_candidates(both[np.sort(first)], request.eligible.of, quota)
