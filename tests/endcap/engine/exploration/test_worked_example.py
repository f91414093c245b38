"""The example of the guide, run on a log whose click rates are known."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from endcap.contracts.event import Event, EventType
from endcap.engine.exploration.evidence import Evidence
from endcap.engine.exploration.policies import ThompsonSampling
from endcap.engine.exploration.slots import ExploredSlots
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.placements import Placements
from endcap.events.log.batches import Impressions
from endcap.events.log.writer import EventLog
from tests.endcap.events.log.whole_events import WholeEvents

GUIDE = Path(__file__).parents[4] / "docs" / "exploration.md"
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
REQUESTS = 3_000


def view(number: int, request_id: str, item_id: str) -> Event:
    return Event(
        event_id=UUID(int=number),
        event_type=EventType.PRODUCT_VIEW,
        occurred_at=NOW,
        received_at=NOW,
        session_id="s",
        request_id=request_id,
        item_id=item_id,
    )


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A folder of lists of 4 of 12 items that explore a lot, and the click rate of each item."""
    folder, random = tmp_path_factory.mktemp("events"), np.random.default_rng(11)
    rate = np.linspace(0.6, 0.05, 12)
    score, index = np.linspace(1, 0.1, 12, dtype=np.float32), np.arange(1, 13, dtype=np.int32)
    zeros = np.zeros(13, np.float32)
    evidence = Evidence(zeros, zeros, np.full(13, 0.05, np.float32), 20.0, 0.0)
    plain = assemble(score, 4)
    writing = EventLog(folder)
    for number in range(REQUESTS):
        exploration = ExploredSlots(ThompsonSampling(), evidence, index, np.random.default_rng(number), share=0.5)
        slate = exploration.fill(plain, score, Placements())
        items = [f"i{row:02}" for row in slate.rows.tolist()]
        request_id = f"r{number}"
        writing.emit(
            Impressions(
                request_id, None, None, "home", None, items, range(1, 5), slate.propensity, ["popular"] * 4, "1", "default", NOW, True, True
            )
        )
        clicked = random.random(4) < rate[slate.rows]
        views = [view(4 * number + place, request_id, items[place]) for place in np.flatnonzero(clicked).tolist()]
        writing.emit(WholeEvents(views))
    writing.close()
    return folder, rate


def test_the_guides_example_finds_the_clicks_of_the_other_list(log: tuple[Path, np.ndarray]) -> None:
    folder, rate = log
    names: dict[str, Any] = {"folder": folder}
    code = GUIDE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(code, names)  # noqa: S102
    assert len(names["requests"]) == REQUESTS
    assert abs(names["estimate"] - rate[7]) <= 4 * names["standard_error"]
    assert 0 < names["standard_error"] < 0.1
    weights = names["requests"]["weight"]
    assert abs(weights.mean() - 1) <= 4 * weights.std() / REQUESTS**0.5
