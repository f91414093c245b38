"""What the stream runs: a line a function, with its sink and the consent that its events need."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from endcap.catalogue.changes.counters_sink import ItemCountersSink
from endcap.contracts.probe import ONLINE_ID
from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.dataset.user_regions import read_user_regions
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.whole_log import outcome_functions
from endcap.events.outcomes.windows import Windows
from endcap.events.probes.session_row import session_row
from endcap.events.stream.item_counters import ItemCounters
from endcap.events.stream.opened_lists import OpenedLists
from endcap.events.stream.recent_items import RECENT_ITEMS, RecentItems
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import NeededConsent, ProbeRow, Sink, Subscription
from endcap.features.store.recent_items import RecentItemsSink
from endcap.release.bundle.served_catalogue import ServedCatalogue
from endcap.training.signals_file import read_signals
from endcap_stream.log_beginning import log_beginning
from endcap_stream.opened_lists_sink import OpenedListsSink
from endcap_stream.probed_sink import OnlineReadBack
from endcap_stream.replayed_moment import ReplayedMoment
from endcap_stream.session_sink import SessionSink


def online_sinks(settings: Settings, clock: Clock) -> Mapping[str, Callable[[], Sink]]:
    """What opens a sink of the online store, by name of the function whose rows go there; such a store takes several writers.

    Args:
        settings: all settings.
        clock: the present, UTC.
    """
    moment = ReplayedMoment(settings, clock)
    return {
        Sessions.name: lambda: SessionSink(settings, moment, clock),
        RECENT_ITEMS: lambda: RecentItemsSink(settings, moment.distance, clock),
    }


def subscriptions(settings: Settings, clock: Clock, outcomes: JournalStore, state_dir: Path) -> Sequence[Subscription]:
    """All functions, in the order in which they are stepped.

    Args:
        settings: all settings.
        clock: the present, UTC.
        outcomes: where what was shown and what followed is kept.
        state_dir: folder that goes with the state of the runner.
    """
    online = online_sinks(settings, clock)
    sessions = Sessions(timedelta(seconds=settings.stream.session_gap_seconds))
    recent_items = RecentItems(read_signals(settings.training.signals_file))
    chosen = settings.counters
    counters = ItemCounters(read_user_regions(chosen.users_file or settings.data_dir / "users.parquet"), chosen.remembered_days)
    counts = ItemCountersSink(settings.live_dir, ServedCatalogue(settings, clock).counts, log_beginning(settings, state_dir, clock), clock)
    probe = ProbeRow(session_row, ONLINE_ID, OnlineReadBack(settings))
    return [
        Subscription(sessions, online[sessions.name](), NeededConsent.PERSONALISATION, probe=probe),
        # It needs the events that take consent back.
        Subscription(recent_items, online[recent_items.name](), NeededConsent.NONE),
        *(
            Subscription(function, outcomes.sink(function.name), NeededConsent.NONE)
            for function in outcome_functions(Windows.of(settings.outcomes))
        ),
        Subscription(OpenedLists(), OpenedListsSink(settings, clock), NeededConsent.NONE),
        # A return of who does not allow personalisation takes nothing off, but a purchase of theirs may be what another's return means.
        Subscription(counters, counts, NeededConsent.NONE, chosen.deliver_seconds),
    ]
