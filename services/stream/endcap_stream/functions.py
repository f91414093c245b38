"""What the stream runs: a line a function, with its sink and the consent that its events need."""

from collections.abc import Sequence
from datetime import timedelta

from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import NeededConsent, Subscription
from endcap_stream.replayed_moment import ReplayedMoment
from endcap_stream.session_sink import SessionSink


def subscriptions(settings: Settings, clock: Clock) -> Sequence[Subscription]:
    """All functions, in the order in which they are stepped.

    Args:
        settings: all settings.
        clock: the present, UTC.
    """
    moment = ReplayedMoment(settings, clock)
    gap = timedelta(seconds=settings.stream.session_gap_seconds)
    return [
        Subscription(Sessions(gap), SessionSink(settings, moment, clock), NeededConsent.PERSONALISATION),
    ]
