from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from endcap.events.outcomes.journal_store import JournalStore
from endcap_stream.outcome_metrics import OutcomeCollector
from tests.endcap.events.outcomes.driven import deliver
from tests.endcap.events.outcomes.made_events import START, event

WINDOW = timedelta(minutes=30)


def shown(store: JournalStore) -> str:
    registry = CollectorRegistry()
    registry.register(OutcomeCollector(store.totals))
    return generate_latest(registry).decode()


def test_a_versions_counters_begin_together_at_zero_and_go_on_after_a_restart(tmp_path: Path) -> None:
    store = JournalStore(tmp_path)
    deliver(store, event("impression", 1, 0), event("click", 2, 1))
    names = [f'endcap_outcome_{name}_total{{surface="home",version="7"}}' for name in ("impressions", "clicks", "purchases")]
    assert all(f"{name} 0.0" in shown(store) for name in names)
    store.count_lists(START + WINDOW, WINDOW)
    store.close()
    page = shown(JournalStore(tmp_path))
    assert [f"{name} {count}" in page for name, count in zip(names, ("1.0", "1.0", "0.0"), strict=True)] == [True] * 3
    assert 'endcap_outcome_items_total{event="click",position="1",source="popular"} 1.0' in page


def test_before_anything_was_shown_there_are_names_without_numbers(tmp_path: Path) -> None:
    assert "# TYPE endcap_outcome_impressions_total counter" in shown(JournalStore(tmp_path))
