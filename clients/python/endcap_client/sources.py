"""Where time, ids and chance come from."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4


@dataclass(frozen=True, slots=True)
class Sources:
    """What a test gives instead of the machine's own.

    Attributes:
        clock: the present, UTC.
        new_id: a random UUID.
        random: from 0 to 1.
    """

    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    random: Callable[[], float]


SYSTEM_SOURCES = Sources(clock=lambda: datetime.now(UTC), new_id=uuid4, random=random.random)
