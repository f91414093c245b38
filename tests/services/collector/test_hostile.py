"""What strangers send: no answer is the collector's own failure, and nothing is stored that the contract refuses."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from endcap.contracts.event import Event
from endcap.contracts.event_type import EventType
from endcap.contracts.submitted_event import SubmittedEvent
from tests.endcap.events.sent_events import sent
from tests.faults.hostile import content_types, drawn, headers, json_values, written
from tests.properties import share_of
from tests.services.collector.running_collector import KEYS, NOW, running

FIELDS = sorted({*SubmittedEvent.model_fields, "received_at", "colour"})
REQUESTS, IN_EVERY_RUN = 8_000, 250


def _spoilt(drawn: tuple[EventType, str, str, Any]) -> dict[str, Any]:
    kind, name, field, value = drawn
    return {**sent(kind, NOW, name), field: value}


names = st.integers(0, 10**6).map(str)
valid = st.builds(lambda kind, name: sent(kind, NOW, name), st.sampled_from(EventType), names)
spoilt = st.tuples(st.sampled_from(EventType), names, st.sampled_from(FIELDS), json_values).map(_spoilt)
events = st.one_of(valid, spoilt, spoilt, json_values)
lists = st.lists(events, max_size=4)
deep = st.builds(
    lambda depth, mark: mark * depth, st.sampled_from([10, 5_000, 100_000]), st.sampled_from([b"[", b'{"a":', b'{"properties":['])
)
bodies = st.one_of(
    events.map(written),
    lists.map(written),
    lists.map(lambda each: b"\n".join(map(written, each))),
    st.tuples(lists.map(written), st.integers(0, 300)).map(lambda pair: pair[0][: pair[1]]),
    st.binary(max_size=200),
    deep,
)
media = st.sampled_from(["application/json", "application/x-ndjson", "text/plain"])
requests = st.tuples(bodies, media | content_types, st.just([]) | headers, st.sampled_from(sorted(KEYS)), st.none() | st.binary(max_size=8))


@pytest.mark.properties
async def test_no_request_makes_the_collector_fail_and_nothing_wrong_is_stored(tmp_path: Path) -> None:
    async with running(tmp_path, events_per_second=1e9, burst=10**9) as collector:
        accepted = 0
        count = share_of(REQUESTS, most_in_every_run=IN_EVERY_RUN)
        for body, content_type, more, key, query in drawn(requests, count):
            given = {
                b"content-type": content_type.encode(),
                b"x-endcap-key": key.encode(),
                **{name.encode(): value for name, value in more},
            }
            address = "/v1/events" if query is None else f"/v1/events?key={query.hex()}"
            answer = await collector.client.post(address, content=body, headers=list(given.items()))
            assert answer.status_code < 500, (body, given, answer.text)
            assert answer.headers["content-type"] == "application/json"
            accepted += answer.json().get("accepted", 0)
        stored = [line for file in sorted((tmp_path / "events").iterdir()) for line in file.read_text().split("\n") if line]
        assert accepted == len(stored) == len(collector.stored())
        assert accepted > count / 50
        for line in stored:
            Event.model_validate_json(line)


async def test_no_token_makes_the_pixel_fail(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        for token in drawn(st.text(max_size=200) | st.binary(max_size=100).map(bytes.hex), 100):
            answer = await collector.client.get("/v1/pixel", params={"t": token.encode("utf-8", "replace").decode()})
            assert answer.status_code == 403
