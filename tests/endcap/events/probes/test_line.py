import json
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.event_type import EventType
from endcap.contracts.probe import Probe
from endcap.core.settings import ConsentSettings
from endcap.events.acceptance.acceptance import Acceptance, Accepted, Refused, Sender, content_of
from endcap.events.acceptance.custom_types import CustomTypes
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.probes.line import is_probe, made_at, probe_line
from tests.endcap.events.sent_events import sent
from tests.properties import examples

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


@examples(60)
@given(moments, st.text(min_size=1, max_size=128), st.integers(0, 2**32))
def test_a_line_is_one_probe_whose_moment_is_read_back(now: datetime, collector: str, seed: int) -> None:
    line = probe_line(collector.encode("utf-8", "replace").decode(), now, Random(seed)).encode()
    assert is_probe(line)
    assert made_at(line) == now
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert Probe.model_validate_json(line).occurred_at == now


def test_probes_have_ids_of_their_own() -> None:
    random = Random(5)
    ids = {json.loads(probe_line("a", NOW + timedelta(seconds=each), random))["event_id"] for each in range(100)}
    assert len(ids) == 100


def test_a_collector_that_starts_remembers_no_probe_as_an_event() -> None:
    assert content_of(probe_line("a", NOW, Random(1)).encode()) is None


def judged(event: dict[str, object], scope: Scope) -> Accepted | Refused:
    acceptance = Acceptance(ConsentSettings(personalisation=True, analytics=True), CustomTypes(), lambda: "fresh")
    return acceptance.judge(json.dumps(event), Sender("key", scope, TYPES_OF_SCOPE[scope]), NOW)


marks = st.sampled_from(['"event_type":"probe"', ',"event_type":"probe",', '\\"event_type\\":\\"probe\\"', "probe"]) | st.text(max_size=40)


@examples(60)
@given(marks, marks)
def test_no_event_that_is_taken_looks_like_a_probe(query: str, surface: str) -> None:
    event = {**sent(EventType.SEARCH, NOW, "1"), "query": query, "surface": surface, "session_id": f"s{query}"}
    verdict = judged(event, Scope.SERVER)
    assert isinstance(verdict, Refused) or not is_probe(verdict.line.encode())


def test_no_key_may_send_a_probe_and_the_refusal_names_it() -> None:
    for scope in Scope:
        verdict = judged({**sent(EventType.PAGE_VIEW, NOW, "1"), "event_type": "probe"}, scope)
        assert isinstance(verdict, Refused)
        assert (verdict.field, verdict.is_forbidden) == ("event_type", False)
        assert "probe" in verdict.reason
