"""Which part is killed when: each once at least, and who is away comes back after some more requests."""

from dataclasses import dataclass
from random import Random

from tests.events_week.sending import Answers
from tests.events_week.shop import PARTS, Shop

AGAIN = 2
"""Parts that are killed a second time."""
MARGIN = 0.08
"""Of the requests, before the first kill and after the last one."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Attributes:
    part: of PARTS.
    at, back_at: answered requests at which it ends, and at which it starts again.
    """

    part: str
    at: int
    back_at: int


def kills(requests: int, random: Random) -> list[Kill]:
    """In their order, one after the other.

    Args:
        requests: of the whole week.
        random: chooses order and moments.
    """
    parts = [*random.sample(PARTS, len(PARTS)), *random.sample(PARTS, AGAIN)]
    margin = int(requests * MARGIN)
    slot = (requests - 2 * margin) // len(parts)
    made = []
    for place, part in enumerate(parts):
        begins = margin + place * slot
        at = begins + random.randrange(slot // 2)
        # Nothing is answered while the collector is away.
        back_at = at if part == "collector" else at + random.randrange(1, slot // 2)
        made.append(Kill(part, at, back_at))
    return made


def kill_all(shop: Shop, plan: list[Kill], answers: Answers) -> None:
    """Carry the plan out while the week is sent."""
    for kill in plan:
        answers.wait_for(kill.at)
        shop.kill(kill.part)
        try:
            answers.wait_for(kill.back_at)
        finally:
            shop.start(kill.part)
