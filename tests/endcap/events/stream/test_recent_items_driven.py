"""Recent items as the stream drives them: over restarts, with who identified in a visit before or after what the visit did."""

from pathlib import Path

from endcap.contracts.signals import Signals
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.driver import Driver
from endcap.events.stream.recent_items import RecentItems
from endcap.events.stream.subscription import NeededConsent, Subscription
from tests.endcap.events.stream.streamed_events import SEAL, Bench, event


class AllEvents(Bench):
    """The function sees events without consent too."""

    def start(self) -> None:
        subscriptions = [Subscription(self.function, self.sink, NeededConsent.NONE)]
        self.driver = Driver(self._folder, subscriptions, SEAL, lambda: self.now, self._rules)
        self.delivery = Delivery(self.driver.outboxes, {self.function.name: self.sink})


def items_of(bench: Bench) -> dict[str, list[str]]:
    return {user: row["recent_item_ids"] for (user,), row in bench.delivered().items()}


def test_a_visit_and_its_person_are_stepped_together_over_restarts(tmp_path: Path) -> None:
    bench = AllEvents(RecentItems(Signals()), tmp_path)
    bench.take(event("own", 0, "purchase", session="other", user_id="u", item_id="own", quantity=1.0))
    bench.restart()
    bench.take(event("after", 60, "product_view", item_id="after"), event("before", 20, "product_view", item_id="before"))
    bench.take(event("login", 30, "identity", user_id="u"))
    assert items_of(bench) == {"u": ["own", "after"]}
    bench.restart()
    bench.take(event("later", 90, "add_to_cart", item_id="later"))
    assert items_of(bench) == {"u": ["own", "after", "later"]}
    bench.take(event("late", 45, "identity", user_id="someone else"))
    assert items_of(bench) == {"u": ["own"], "someone else": ["after", "later"]}
    bench.take(event("end", 100, "consent_withdrawn", session="other", user_id="u", consent=False))
    assert items_of(bench) == {"u": [], "someone else": ["after", "later"]}
    bench.close()
