"""Whatever a client sends, parsing either understands it or says InvalidInput."""

import kserve
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kserve.errors import InvalidInput as KServeInvalidInput

from endcap.contracts.request import Consent, Instance
from endcap.core.errors import InvalidInput
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
        assert all(isinstance(each, Instance) for each in instances_of_v1(body))
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
    assert [instance.consent for instance in instances_of_v1(body)] == wanted


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
        instances_of_v1(f'{{"instances": [{{"consent": {consent}}}]}}')
    with pytest.raises(InvalidInput, match=message):
        instances_of_v2(kserve.InferRequest("endcap", [kserve.InferInput("consent", [1], "BYTES", [consent])]))
