"""Whatever a client sends, parsing either understands it or says InvalidInput."""

import json
from typing import Any

import kserve
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kserve.errors import InvalidInput as KServeInvalidInput

from endcap.contracts.request import Consent, Instance
from endcap.core.errors import InvalidInput
from endcap_transformer.server.canonical_json import require_distinct_keys
from endcap_transformer.server.parsing_v2 import DATATYPES, instances_of_v2
from endcap_transformer.server.predict_v1 import instances_of_v1
from tests.properties import examples

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
instances = st.dictionaries(st.sampled_from(sorted(Instance.model_fields)) | st.text(max_size=4), json_values, max_size=5)


@given(body=json_values | st.fixed_dictionaries({"instances": st.lists(instances, max_size=3)}))
@examples(150)
def test_hostile_v1_bodies_are_read_or_refused(body) -> None:
    try:
        assert all(isinstance(each, Instance) for each in instances_of_v1(json.dumps(body).encode()))
    except InvalidInput as error:
        assert str(error)


@given(body=st.binary(max_size=60))
@examples(200)
def test_hostile_bytes_are_read_or_refused(body) -> None:
    with pytest.raises(InvalidInput):
        instances_of_v1(body)


tensors = st.builds(
    kserve.InferInput,
    st.sampled_from(sorted(DATATYPES)) | st.text(max_size=4),
    st.lists(st.integers(-1, 3), max_size=2),
    st.sampled_from(["BYTES", "INT32", "INT64", "BOOL", "FP32", "FP16", "?"]),
    st.lists(st.text(max_size=6) | st.binary(max_size=6) | st.integers(-5, 600) | st.booleans() | st.none() | st.floats(), max_size=3)
    | st.none(),
)


@given(inputs=st.lists(tensors, max_size=4), raw=st.none() | st.lists(st.binary(max_size=12), min_size=4, max_size=4))
@examples(150)
def test_hostile_tensors_are_read_or_refused(inputs, raw) -> None:
    request = kserve.InferRequest("endcap", inputs, raw_inputs=raw[: len(inputs)] if raw else None)
    try:
        assert all(isinstance(each, Instance) for each in instances_of_v2(request))
    except (InvalidInput, KServeInvalidInput) as error:
        assert str(error)


def test_tensors_become_instances() -> None:
    request = kserve.InferRequest(
        "endcap",
        [
            kserve.InferInput("user_id", [2], "BYTES", ["u", ""]),
            kserve.InferInput("k", [2], "INT32", [3, 4]),
            kserve.InferInput("filters", [2], "BYTES", ['{"price_max": 2}', ""]),
            kserve.InferInput("explain", [2], "BOOL", [True, False]),
        ],
    )
    first, second = instances_of_v2(request)
    assert (first.user_id, first.k, first.filters.price_max, first.explain) == ("u", 3, 2.0, True)
    assert (second.user_id, second.k, second.filters.price_max, second.explain) == (None, 4, None, False)


def test_raw_tensors_become_instances() -> None:
    text = kserve.InferInput("user_id", [1], "BYTES")
    text.set_data_from_numpy(np.array([b"u"], dtype=object))
    count = kserve.InferInput("k", [1], "INT64")
    count.set_data_from_numpy(np.array([7]))
    (instance,) = instances_of_v2(kserve.InferRequest("endcap", [text, count]))
    assert (instance.user_id, instance.k) == ("u", 7)


def test_an_unknown_output_is_refused() -> None:
    request = kserve.InferRequest(
        "endcap", [kserve.InferInput("user_id", [1], "BYTES", ["u"])], request_outputs=[kserve.protocol.infer_type.RequestedOutput("price")]
    )
    with pytest.raises(InvalidInput, match="there are item_id, score, answer; got 'price'"):
        instances_of_v2(request)


def test_half_a_character_in_the_id_is_refused() -> None:
    request = kserve.InferRequest("endcap", [kserve.InferInput("user_id", [1], "BYTES", ["u"])], request_id="r\ud800")
    with pytest.raises(InvalidInput, match="id: holds half a character"):
        instances_of_v2(request)


def test_consent_is_read_from_json_and_from_tensors_and_may_be_left_out() -> None:
    stated = ['{"personalisation": false}', '{"analytics": true, "personalisation": null}', ""]
    wanted = [Consent(personalisation=False), Consent(analytics=True), Consent()]
    tensors = kserve.InferRequest("endcap", [kserve.InferInput("consent", [3], "BYTES", stated)])
    assert [instance.consent for instance in instances_of_v2(tensors)] == wanted
    body = '{{"instances": [{}]}}'.format(", ".join(f'{{"consent": {text}}}' if text else "{}" for text in stated))
    assert [instance.consent for instance in instances_of_v1(body.encode())] == wanted


@pytest.mark.parametrize(
    ("consent", "message"),
    [
        ('{"marketing": true}', r"consent\.marketing: unknown field; allowed are personalisation, analytics"),
        ('{"analytics": "yes"}', r"consent\.analytics: must be true or false; got 'yes'"),
        ("true", r"consent: must be an object; got True"),
    ],
)
def test_consent_that_cannot_be_read_is_refused_by_name(consent: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        instances_of_v1(f'{{"instances": [{{"consent": {consent}}}]}}'.encode())
    with pytest.raises(InvalidInput, match=message):
        instances_of_v2(kserve.InferRequest("endcap", [kserve.InferInput("consent", [1], "BYTES", [consent])]))


def v1(instance: str) -> bytes:
    return f'{{"instances": [{instance}]}}'.encode()


@pytest.mark.parametrize("name", ["price_min", "price_max"])
@pytest.mark.parametrize(
    "value", ["1e39", "3.41e38", "1e308", "1e400", "-1e-3", "-1e400", "NaN", "Infinity", "-Infinity", '"5"', "true", "1" * 400]
)
def test_a_price_that_the_catalogue_cannot_hold_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        instances_of_v1(v1(f'{{"filters": {{"{name}": {value}}}}}'))
    assert caught.value.http_status == 400
    assert name in str(caught.value) or "no JSON" in str(caught.value)


@pytest.mark.parametrize("value", [0.0, -0.0, 5e-324, 1e-46, 3.4028234663852886e38])
def test_every_price_that_is_let_through_is_finite_where_it_is_stored(value: float) -> None:
    (instance,) = instances_of_v1(v1(json.dumps({"filters": {"price_max": value}})))
    assert np.isfinite(np.float32(instance.filters.price_max))


def test_prices_in_the_wrong_order_are_named_with_the_way_out() -> None:
    with pytest.raises(InvalidInput, match=r"instances\[0\]\.filters: price_min is above price_max: 5 and 2.5; swap them"):
        instances_of_v1(v1('{"filters": {"price_min": 5, "price_max": 2.5}}'))


@pytest.mark.parametrize("value", ["1e2", "99999999999999999999", "-1", "1" * 5000, "2147483648", "1e400"])
def test_a_count_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match=r"k: must be|no JSON"):
        instances_of_v1(v1(f'{{"k": {value}}}'))


def test_the_name_of_an_unknown_field_does_not_fill_the_message() -> None:
    with pytest.raises(InvalidInput) as caught:
        instances_of_v1(v1(json.dumps({"x" * 100_000: 1})))
    assert len(str(caught.value)) < 500


DOUBLE = [
    '{"k": 1, "k": 2}',
    '{"k": 1, "\\u006b": 2}',
    '{"filters": {"brands": ["a"], "brands": ["b"]}}',
    '{"user_id": "\\u0022\\u0022\\u0022\\u0022", "k": 1, "k": 2}',
    '{"context": {"device": "a\\\\u0022", "geo": "x", "geo": "y"}}',
    '{"filters": {}, "k": 3, "filters": {"price_max": 1}}',
]


@pytest.mark.parametrize("instance", DOUBLE)
def test_a_key_that_stands_twice_is_refused_by_name(instance: str) -> None:
    with pytest.raises(InvalidInput, match=r"(k|brands|geo|filters): stands twice in one object; leave one out"):
        instances_of_v1(v1(instance))


def test_a_key_that_stands_twice_is_refused_in_tensors_and_outside_of_the_instance() -> None:
    with pytest.raises(InvalidInput, match="price_max: stands twice"):
        instances_of_v2(kserve.InferRequest("endcap", [kserve.InferInput("filters", [1], "BYTES", ['{"price_max": 1, "price_max": 2}'])]))
    with pytest.raises(InvalidInput, match="instances: stands twice"):
        instances_of_v1(b'{"instances": [{}], "instances": [{"k": 1}]}')


objects: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=6)
    | st.sampled_from(['"', '\\"', "\\u0022", "\\", '"":'])
    | st.lists(st.text(max_size=3), max_size=2),
    lambda inner: st.lists(st.tuples(st.text(max_size=2) | st.sampled_from(['"', "\\u0022"]), inner), max_size=4),
    max_leaves=8,
)


def _written(value: Any, ascii_only: bool) -> str:
    """JSON of a value in which a list of pairs is an object, keys twice and all."""
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=ascii_only)}: {_written(inner, ascii_only)}" for key, inner in value) + "}"
    return json.dumps(value, ensure_ascii=ascii_only)


def _has_double(value: Any) -> bool:
    if not (isinstance(value, list) and value and isinstance(value[0], tuple)):
        return False
    keys = [key for key, _ in value]
    return len(set(keys)) < len(keys) or any(_has_double(inner) for _, inner in value)


@given(value=objects, ascii_only=st.booleans(), escaped=st.booleans())
@examples(300)
def test_keys_are_refused_exactly_when_one_stands_twice(value: Any, ascii_only: bool, escaped: bool) -> None:
    text = _written(value, ascii_only)
    if escaped:
        text = text.replace('\\"', "\\u0022") if '\\\\"' not in text else text
    encoded = text.encode()
    try:
        require_distinct_keys(encoded, orjson.dumps(orjson.loads(encoded)))
    except InvalidInput:
        assert _has_double(value)
    else:
        assert not _has_double(value)
