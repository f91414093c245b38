"""A request knows of a purchase of a minute ago, in whichever visit it was made."""

from datetime import timedelta
from typing import Any

import pytest

from endcap.contracts.recent_kind import RecentKind
from endcap.contracts.request import Filters
from endcap.core.settings import ConsentSettings
from endcap_transformer.live.served_bundle import ServedBundle
from tests.transformers.path.test_consent import Shop
from tests.transformers.path.test_request_path import IDS, items_of

BOUGHT, VIEWED = IDS[7], IDS[11]


@pytest.fixture
def recent(served: ServedBundle) -> dict[str, Any]:
    """A minute ago BOUGHT was bought and VIEWED viewed."""
    at_s = int((served.clock() - timedelta(minutes=1)).timestamp())
    return {
        "recent_item_ids": [VIEWED, BOUGHT],
        "recent_occurred_at": [at_s, at_s],
        "recent_kinds": [int(RecentKind.PRODUCT_VIEW), int(RecentKind.PURCHASE)],
        "recent_signals": [3, 1],
        "recent_visits": [0, 0],
        "recent_bought_item_ids": [BOUGHT],
        "recent_bought_at": [at_s],
        "recent_bought_until": [0],
        "recent_visit_ids": ["another visit"],
        "recent_moved_s": 300_000_000,
    }


@pytest.fixture
def shop(served: ServedBundle, feature_row: dict[str, Any], recent: dict[str, Any]) -> Shop:
    """U1 has batch features and NEW none; both did the same a minute ago."""
    shop = Shop(served, feature_row, ConsentSettings(personalisation=True, analytics=True))
    shop.store.rows["U1"] = {"user": feature_row, "recent": recent, "session": None}
    shop.store.rows["NEW"] = {"user": None, "recent": recent, "session": None}
    return shop


@pytest.mark.parametrize("user", ["U1", "NEW"])
def test_what_was_just_bought_is_known_and_what_was_looked_at_is_not_bought(shop: Shop, user: str) -> None:
    anything = items_of(shop.ask(user_id=user, k=300))
    unbought = items_of(shop.ask(user_id=user, k=300, filters=Filters(new_to_user=True)))
    assert BOUGHT in anything
    assert BOUGHT not in unbought
    assert VIEWED in unbought


def test_it_is_offered_again_as_what_was_bought_before(shop: Shop) -> None:
    listed = shop.ask(user_id="NEW", k=300, explain=True).recommendations
    sources = {one.item_id: one.explanation["sources"] for one in listed if one.explanation and "sources" in one.explanation}
    assert "buy_again" in sources[BOUGHT]
    assert "buy_again" not in sources.get(VIEWED, {})


def test_without_consent_it_is_not_read(shop: Shop) -> None:
    shop.ask(user_id="NEW", consent={"personalisation": False})
    assert shop.store.reads == []
