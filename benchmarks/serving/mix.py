"""Who asks for what: a fixed mix of surfaces, known people and visitors, each request another person, so that no cache flatters."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.serving.home import HomeSize

K = 20
CART_ITEMS = 3
SEARCH_ITEMS = 40
NEW_SESSION = "visit-"

MIX: dict[str, float] = {
    "home": 0.34,
    "product": 0.22,
    "cart": 0.14,
    "category": 0.12,
    "search": 0.08,
    "anonymous": 0.05,
    "new_user": 0.05,
}
"""Kinds of requests and their share."""


def make_requests(size: HomeSize, count: int, seed: int) -> tuple[list[str], list[dict[str, Any]]]:
    """Kinds and instances of `count` requests.

    People come in a random order and nobody comes twice before all have been there; visitors and new people are never seen again.
    """
    random = np.random.default_rng(seed)
    kinds = [str(kind) for kind in random.choice(list(MIX), count, p=list(MIX.values()))]
    people = _people(size, count, random)
    return kinds, [
        _KINDS[kind](Draw(size, random, f"U{person}", f"{seed}-{number}"))
        for number, (kind, person) in enumerate(zip(kinds, people, strict=True))
    ]


def _people(size: HomeSize, count: int, random: np.random.Generator) -> list[int]:
    rounds = -(-count // size.users)
    return np.concatenate([random.permutation(size.users) for _ in range(rounds)])[:count].tolist()


class Draw:
    """What one request's fields are drawn from."""

    def __init__(self, size: HomeSize, random: np.random.Generator, user_id: str, unseen: str) -> None:
        self.user_id = user_id
        self.unseen = unseen
        self._catalogue = size.catalogue()
        self._random = random

    def items(self, count: int) -> list[str]:
        numbers = self._random.choice(self._catalogue.items, count, replace=False)
        return [f"I{number:06d}" for number in numbers]

    def category(self) -> str:
        """An aisle's name: three shelves."""
        return self._catalogue.category_path(int(self._random.integers(self._catalogue.items)))[1]


def _home(draw: Draw) -> dict[str, Any]:
    return {"user_id": draw.user_id, "surface": "home", "k": K}


def _product(draw: Draw) -> dict[str, Any]:
    return {"user_id": draw.user_id, "surface": "product", "item_ids": draw.items(1), "k": K}


def _cart(draw: Draw) -> dict[str, Any]:
    return {"user_id": draw.user_id, "surface": "cart", "item_ids": draw.items(CART_ITEMS), "k": K}


def _category(draw: Draw) -> dict[str, Any]:
    filters = {"categories": [draw.category()], "price_max": 18.0}
    return {"user_id": draw.user_id, "surface": "category", "filters": filters, "k": K}


def _search(draw: Draw) -> dict[str, Any]:
    return {"user_id": draw.user_id, "surface": "search", "item_ids": draw.items(SEARCH_ITEMS), "k": K}


def _anonymous(draw: Draw) -> dict[str, Any]:
    return {"session_id": f"{NEW_SESSION}{draw.unseen}", "surface": "product", "item_ids": draw.items(1), "k": K}


def _new_user(draw: Draw) -> dict[str, Any]:
    preferences = {"categories": [draw.category()]}
    return {"user_id": f"new-{draw.unseen}", "surface": "home", "preferences": preferences, "context": {"device": "mobile"}, "k": K}


_KINDS: dict[str, Callable[[Draw], dict[str, Any]]] = {
    "home": _home,
    "product": _product,
    "cart": _cart,
    "category": _category,
    "search": _search,
    "anonymous": _anonymous,
    "new_user": _new_user,
}
