"""What the demo asks the predict endpoint, and how it introduces each answer."""

from dataclasses import dataclass
from typing import Any

from endcap.demo.shoppers import DemoCast

LIST_LENGTH = 6


@dataclass(frozen=True)
class Scene:
    """One request of the demo: the sentence before it and the instance sent."""

    introduction: str
    instance: dict[str, Any]


def scenes(cast: DemoCast, session_id: str) -> list[Scene]:
    """Three households, a product page, and the cart of a visit that nobody knows.

    Args:
        cast: who asks.
        session_id: of the visit.
    """

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
            f"The product page of {names((cast.product,))}, seen by household {regular}",
            {"user_id": regular, "surface": "product", "item_ids": [cast.product], "k": LIST_LENGTH},
        ),
        Scene(
            f"A cart with {names(cast.cart)}",
            {"session_id": session_id, "surface": "cart", "item_ids": list(cast.cart), "k": LIST_LENGTH},
        ),
    ]


def visit_home(session_id: str) -> dict[str, Any]:
    """The home page of a visit that nobody knows."""
    return {"session_id": session_id, "surface": "home", "k": LIST_LENGTH}


def explained_scene(cast: DemoCast) -> Scene:
    """The list that the demo takes apart: the home page of the household that shops now and then."""
    shopper = cast.shoppers[1]
    return Scene(
        f"The home page of household {shopper.user_id}, which {shopper.habit}",
        {"user_id": shopper.user_id, "surface": "home", "k": 10, "explain": True},
    )


def latency_instances(cast: DemoCast, session_id: str, count: int) -> list[dict[str, Any]]:
    """The same kinds of request in turn, `count` in all, ten items each."""
    kinds = [{**instance, "k": 10} for instance in (*(scene.instance for scene in scenes(cast, session_id)), visit_home(session_id))]
    return [kinds[place % len(kinds)] for place in range(count)]
