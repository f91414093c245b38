from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from endcap.core.settings import Settings
from endcap_benchmarks.events.scenarios.stream_functions import ALL, NONE, MeasuredSteps, stream_functions

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_the_state_grows_and_every_function_is_stepped_on_it(tmp_path: Path) -> None:
    size = MeasuredSteps(steps=2, events=40)
    with closing(stream_functions(Settings(home=tmp_path / "home"), tmp_path / "bench", [50, 120], NOW, size)) as by_size:
        small, large = next(by_size), next(by_size)
    names = [row["function"] for row in small]
    assert names == [row["function"] for row in large]
    assert {ALL, NONE, "sessions", "recent_items", "attribution", "item_counters"} <= set(names)
    assert all(row["events_a_core_second"] > 0 for row in [*small, *large])
    assert {row["sessions"] for row in large} == {120}
    keys = {row["function"]: row["session_keys"] for row in large}
    assert 60 < keys["sessions"] <= 120
    assert list((tmp_path / "bench").iterdir()) == []
    assert not (tmp_path / "home").exists()
