"""What counts as a caller's decision, and what is refused at start."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.core.tracer import Tracer, caller_decision

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("00", False), ("03", True), ("02", False)])
def test_decision_is_the_lowest_flag(flags: str, sampled: bool) -> None:
    assert caller_decision(f"00-{TRACE}-{SPAN}-{flags}") == (TRACE, sampled)


def test_later_version_may_say_more() -> None:
    assert caller_decision(f"01-{TRACE}-{SPAN}-01-more") == (TRACE, True)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f" 00-{TRACE}-{SPAN}-01",
    ],
)
def test_header_against_the_standard_decides_nothing(header: str | None) -> None:
    assert caller_decision(header) is None


@given(st.text(max_size=80))
def test_any_header_is_survived(header: str) -> None:
    assert caller_decision(header) is None


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4317", "ftp://127.0.0.1:4317", "http://", "collector"])
def test_endpoint_that_is_no_url_is_refused_by_the_name_of_its_setting(endpoint: str) -> None:
    with pytest.raises(InvalidInput, match="ENDCAP_TELEMETRY__OTLP_ENDPOINT"):
        Tracer.open(endpoint, "endcap-test", "0")
