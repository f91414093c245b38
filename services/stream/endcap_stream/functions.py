"""What the stream runs: a line a function, with its sink and the consent that its events need."""

from collections.abc import Sequence
from datetime import timedelta

from endcap.catalogue.changes.counters_sink import ItemCountersSink
from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.dataset.user_regions import read_user_regions
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.whole_log import outcome_functions
from endcap.events.outcomes.windows import Windows
from endcap.events.stream.item_counters import ItemCounters
from endcap.events.stream.recent_items import RecentItems
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import NeededConsent, Subscription
from endcap.features.store.recent_items import RecentItemsSink
from endcap.release.bundle.served_catalogue import ServedCatalogue
from endcap.training.signals_file import read_signals
from endcap_stream.log_beginning import log_beginning
from endcap_stream.replayed_moment import ReplayedMoment
from endcap_stream.session_sink import SessionSink


def subscriptions(settings: Settings, clock: Clock, outcomes: JournalStore) -> Sequence[Subscription]:
    """All functions, in the order in which they are stepped.

    Args:
        settings: all settings.
        clock: the present, UTC.
        outcomes: where what was shown and what followed is kept.
    """
    moment = ReplayedMoment(settings, clock)
    gap = timedelta(seconds=settings.stream.session_gap_seconds)
    chosen = settings.counters
    counters = ItemCounters(read_user_regions(chosen.users_file or settings.data_dir / "users.parquet"), chosen.remembered_days)
    counts = ItemCountersSink(settings.live_dir, ServedCatalogue(settings, clock).counts, log_beginning(settings, clock), clock)
    return [
        Subscription(Sessions(gap), SessionSink(settings, moment, clock), NeededConsent.PERSONALISATION),
        # It needs the events that take consent back.
        Subscription(
            RecentItems(read_signals(settings.training.signals_file)),
            RecentItemsSink(settings, moment.distance, clock),
            NeededConsent.NONE,
        ),
        *(
            Subscription(function, outcomes.sink(function.name), NeededConsent.NONE)
            for function in outcome_functions(Windows.of(settings.outcomes))
        ),
        # A return of who does not allow personalisation takes nothing off, but a purchase of theirs may be what another's return means.
        Subscription(counters, counts, NeededConsent.NONE, chosen.deliver_seconds),
    ]
