"""What a visit's row says of the person in it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from endcap.catalogue.vocabulary import Vocabulary
from endcap_transformer.path.features import session_bought
from endcap_transformer.path.resolving import ResolvedRequest

IDS = Vocabulary(("mug", "tea"))
REQUEST = cast("ResolvedRequest", SimpleNamespace(served=SimpleNamespace(tables=SimpleNamespace(items=SimpleNamespace(ids=IDS)))))


def bought(*events: tuple[str, str]) -> list[str]:
    session: dict[str, Any] = {"session_item_ids": [item for item, _ in events], "session_event_types": [kind for _, kind in events]}
    return [IDS.names[code - 1] for code in session_bought({"session": session}, REQUEST)]


@pytest.mark.parametrize("back", ["return", "cancellation"])
def test_what_is_taken_back_in_a_visit_was_not_bought_in_it(back: str) -> None:
    assert bought(("tea", "purchase"), ("mug", "purchase"), ("tea", back)) == ["mug"]
    assert bought(("tea", "purchase"), ("tea", back), ("tea", "purchase")) == ["tea"]
    assert bought(("tea", back)) == []


def test_views_neither_buy_nor_take_back() -> None:
    assert bought(("tea", "purchase"), ("tea", "product_view")) == ["tea"]
    assert bought(("tea", "product_view"), ("mug", "add_to_cart")) == []
    assert session_bought(None, REQUEST).tolist() == []
