from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from endcap.events.stream.bots import BotRules, Bots
from endcap.events.stream.driver import DriverRules
from endcap.events.stream.function import Instant
from endcap.events.stream.sessions import Sessions
from tests.endcap.events.stream.streamed_events import BEGIN, Bench, event, frame
from tests.properties import examples

RULES = BotRules(events_a_minute=3, views_without_dwell=5)
AT = Instant(BEGIN + timedelta(minutes=5), BEGIN - timedelta(hours=1))


def judged(*events: dict[str, object]) -> list[bool]:
    rule = Bots(RULES)
    return rule.judge(rule.state_schema.to_frame(), frame(events), AT)[0].to_list()


def test_a_visit_that_is_too_fast_is_a_bots_from_then_on() -> None:
    fast = [event(str(place), place, "click", "fast", item_id="a") for place in range(5)]
    slow = [event(f"slow {place}", place * 30, "click", "slow", item_id="a") for place in range(5)]
    assert judged(*fast, event("later", 600, "click", "fast", item_id="a"), *slow) == [False] * 3 + [True] * 3 + [False] * 5


def test_lists_and_receipts_are_no_sign_of_a_bot() -> None:
    shown = [event(str(place), 0, "impression", item_id="a") for place in range(20)]
    lines = [event(f"line {place}", 0, "purchase", item_id="a", quantity=1.0) for place in range(20)]
    assert not any(judged(*shown, *lines))


def test_pages_without_end_and_no_dwell_are_a_bots_and_dwell_makes_them_a_persons() -> None:
    views = [event(str(place), place * 60, "product_view", item_id="a") for place in range(6)]
    assert judged(*views) == [False] * 5 + [True]
    assert not any(judged(*views[:3], event("dwell", 150, "dwell", dwell_ms=1), *views[3:]))


def test_a_device_may_say_so() -> None:
    said = [event("1", 0, "click", "a", item_id="a", device="Googlebot/2.1"), event("2", 1, "click", "b", item_id="a", device="mobile")]
    assert judged(*said) == [True, False]


drawn_events = st.lists(
    st.tuples(st.sampled_from(["click", "product_view", "dwell", "impression"]), st.sampled_from("ab"), st.integers(0, 400)), max_size=30
)


@examples(20)
@given(drawn_events, st.integers(1, 10))
def test_what_is_a_bots_does_not_hang_on_how_events_are_cut(drawn: list[tuple[str, str, int]], size: int) -> None:
    events = [
        event(str(place), second, kind, visit, item_id="a", dwell_ms=1 if kind == "dwell" else None)
        for place, (kind, visit, second) in enumerate(drawn)
    ]
    rule = Bots(RULES)
    state, found = rule.state_schema.to_frame(), list[bool]()
    for begin in range(0, len(events), size):
        is_bot, step = rule.judge(state, frame(events[begin : begin + size]), AT)
        state = step.state
        found += is_bot.to_list()
    assert found == judged(*events)


def test_bots_are_left_out_and_counted_after_a_restart_too(tmp_path: Path) -> None:
    bench = Bench(Sessions(), tmp_path, DriverRules(bots=RULES))
    bench.take(*(event(str(place), place, "click", item_id=str(place)) for place in range(4)))
    bench.restart()
    taken = bench.take(event("later", 200, "click", item_id="later"))
    assert taken.events == 0 and taken.left_out["bot"] == 1
    assert bench.delivered()["s",]["session_item_ids"] == ["0", "1", "2"]
    bench.close()
