"""What the demo asks the predict endpoint, and how it introduces each answer."""

from dataclasses import dataclass
from typing import Any

from endcap.demo.shoppers import ANONYMOUS_SESSION, DemoCast

LIST_LENGTH = 6


@dataclass(frozen=True)
class Scene:
    """One request of the demo: the sentence before it and the instance sent."""

    introduction: str
    instance: dict[str, Any]


def scenes(cast: DemoCast) -> list[Scene]:
    """Three households, an anonymous visit, a product page and a cart."""

    def names(item_ids: tuple[str, ...]) -> str:
        return "; ".join(cast.titles[item] for item in item_ids)

    regular = cast.shoppers[0].user_id
    homes = [
        Scene(
            f"Household {shopper.user_id} {shopper.habit}: {shopper.baskets} baskets, lately {'; '.join(shopper.lately)}",
            {"user_id": shopper.user_id, "surface": "home", "k": LIST_LENGTH},
        )
        for shopper in cast.shoppers
    ]
    return [
        *homes,
        Scene(
            f"An anonymous visitor who looked at {names(cast.session_items)}",
            {"session_id": ANONYMOUS_SESSION, "surface": "home", "k": LIST_LENGTH},
        ),
        Scene(
            f"The product page of {names((cast.product,))}, seen by household {regular}",
            {"user_id": regular, "surface": "product", "item_ids": [cast.product], "k": LIST_LENGTH},
        ),
        Scene(
            f"A cart with {names(cast.cart)}",
            {"session_id": ANONYMOUS_SESSION, "surface": "cart", "item_ids": list(cast.cart), "k": LIST_LENGTH},
        ),
    ]


def explained_scene(cast: DemoCast) -> Scene:
    """The list that the demo takes apart: the home page of the household that shops now and then."""
    shopper = cast.shoppers[1]
    return Scene(
        f"The home page of household {shopper.user_id}, which {shopper.habit}",
        {"user_id": shopper.user_id, "surface": "home", "k": 10, "explain": True},
    )


def latency_instances(cast: DemoCast, count: int) -> list[dict[str, Any]]:
    """The same kinds of request in turn, `count` in all, ten items each."""
    kinds = [scene.instance | {"k": 10} for scene in scenes(cast)]
    return [kinds[place % len(kinds)] for place in range(count)]
