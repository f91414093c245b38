"""Whatever an instance says, it is answered or refused by name, and nobody else pays for it: no part is taken for broken."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st

from endcap.contracts.request import PRICE_MAX
from tests.faults import hostile
from tests.faults.hostile import drawn, written
from tests.properties import share_of
from tests.transformers.conftest import Endpoint

PREDICT, INFER = "/v1/models/endcap:predict", "/v2/models/endcap/infer"
INSTANCES, IN_EVERY_RUN = 4_000, 200
FAULTS = ('cause="failed"', 'cause="open_circuit"')
PERSON = {"user_id": "U1", "surface": "home"}

NUMBERS = [0, -0.0, 5e-324, 1e-46, PRICE_MAX, 3.41e38, 1e39, 1e308, -1, 2**31, 2**63, 2**64, 10**30, 10**400, float("nan"), float("inf")]
NAMES = [
    '"',
    "\\",
    "'",
    '"] or price > 0 or brand in ["',
    "x' || true",
    "\x00",
    "\n",
    "\ud800",
    "\u202e",
    "%s",
    "{0}",
    "a" * 128,
    "a" * 129,
    "é" * 128,
    "",
]
MOMENTS = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59Z", "2024-02-30T00:00:00Z", "10000-01-01T00:00:00Z"]

numbers, names = st.sampled_from(NUMBERS), st.sampled_from(NAMES) | st.text(max_size=140)
lists = st.lists(names, max_size=4) | st.sampled_from([["GROCERY"], ["Brand 3"], ["x"] * 50, ["x"] * 51, [str(n) for n in range(1_001)]])
odd_instances = st.fixed_dictionaries(
    {},
    optional={
        "user_id": names,
        "session_id": names,
        "surface": st.sampled_from(hostile.SURFACES) | names,
        "item_ids": lists,
        "exclude": lists,
        "k": numbers | st.integers(1, 500),
        "filters": st.fixed_dictionaries({}, optional={"price_min": numbers, "price_max": numbers, "categories": lists, "brands": lists}),
        "context": st.fixed_dictionaries({}, optional={"time": st.sampled_from(MOMENTS), "geo": names, "device": names, "page": names}),
        "preferences": st.fixed_dictionaries({}, optional={"categories": lists, "brands": lists}),
    },
)


@contextmanager
def sound(endpoint: Endpoint) -> Iterator[None]:
    """Afterwards no stage has fallen back for a fault, every circuit is closed, and the next person gets a whole list."""
    before = fallbacks(endpoint)
    yield
    assert fallbacks(endpoint) == before
    assert set(samples(endpoint, "endcap_breaker_state").values()) == {0.0}
    assert endpoint.predict(PERSON)[0]["degraded"] == []


def samples(endpoint: Endpoint, name: str) -> dict[str, float]:
    lines = httpx.get(f"{endpoint.http}/metrics", timeout=30).text.splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name}{{")}


def fallbacks(endpoint: Endpoint) -> dict[str, float]:
    found = samples(endpoint, "endcap_fallbacks_total")
    return {labels: count for labels, count in found.items() if count and any(cause in labels for cause in FAULTS)}


def ask(client: httpx.Client, path: str, body: bytes) -> None:
    response = client.post(path, content=body, headers={"content-type": "application/json"})
    assert response.status_code in (200, 400), (body, response.text)
    if response.status_code == 400:
        (message,) = response.json().values()
        assert len(message) < 2_000


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
@pytest.mark.parametrize("name", ["price_min", "price_max"])
def test_ten_requests_for_any_price_leave_every_circuit_closed(endpoint: Endpoint, name: str, value: float) -> None:
    body = written({"instances": [PERSON | {"filters": {name: value}}]})
    with sound(endpoint), httpx.Client(base_url=endpoint.http, timeout=30) as client:
        for _ in range(10):
            ask(client, PREDICT, body)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_are_values_and_never_part_of_a_search(endpoint: Endpoint, name: str) -> None:
    filters = {"categories": [name], "brands": ["Brand 3"]}
    response = httpx.post(f"{endpoint.http}{PREDICT}", content=written({"instances": [PERSON | {"filters": filters}]}), timeout=30)
    with sound(endpoint):
        if response.status_code == 200:
            (answer,) = response.json()["predictions"]
            assert (answer["recommendations"], answer["degraded"]) == ([], [])
            assert answer["ignored"] == [f"filters.categories: {name}"]
        else:
            assert response.status_code == 400
            assert set(response.json()) == {"error"}


@pytest.mark.properties
@pytest.mark.parametrize("instances", [hostile.instances, odd_instances], ids=["spoilt", "odd"])
def test_no_instance_makes_the_server_fail_or_opens_a_circuit(endpoint: Endpoint, instances: st.SearchStrategy[Any]) -> None:
    with sound(endpoint), httpx.Client(base_url=endpoint.http, timeout=30) as client:
        for instance in drawn(instances, share_of(INSTANCES, most_in_every_run=IN_EVERY_RUN)):
            ask(client, PREDICT, written({"instances": [PERSON | instance if isinstance(instance, dict) else instance]}))


@pytest.mark.properties
def test_no_tensor_makes_the_server_fail_or_opens_a_circuit(endpoint: Endpoint) -> None:
    with sound(endpoint), httpx.Client(base_url=endpoint.http, timeout=30) as client:
        for instance in drawn(odd_instances, share_of(INSTANCES, most_in_every_run=IN_EVERY_RUN)):
            texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in instance.items() if name != "k"}
            tensors = [{"name": name, "shape": [1], "datatype": "BYTES", "data": [text]} for name, text in texts.items()]
            ask(
                client,
                INFER,
                written({"inputs": [*tensors, {"name": "k", "shape": [1], "datatype": "INT64", "data": [instance.get("k", 5)]}]}),
            )
