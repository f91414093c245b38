import pytest

from endcap.core.errors import BundleInvalid, BundleRefused, DataRejected, DependencyUnavailable, EndcapError, InvalidInput


def test_message_names_field_value_and_fix() -> None:
    error = InvalidInput("must be at most 500", field="k", value=501, fix="ask for fewer items")
    assert str(error) == "k: must be at most 500; got 501; ask for fewer items"


@pytest.mark.parametrize(
    ("value", "extent"),
    [
        ("x" * 10_000, "10000 characters"),
        ("it's" * 1_000, "4000 characters"),
        ("\x00" * 500, "500 characters"),
        (b"x" * 300, "300 bytes"),
        (["abc"] * 200, "200 entries"),
        (dict.fromkeys(range(300)), "300 entries"),
        (10**200, "201 characters"),
    ],
)
def test_long_values_are_shortened_and_counted_as_given(value: object, extent: str) -> None:
    text = str(InvalidInput("too long", field="query", value=value))
    assert len(text) < 250
    assert text.endswith(f"... ({extent})")


def test_every_kind_has_its_own_exit_code() -> None:
    kinds = [EndcapError, InvalidInput, DataRejected, BundleInvalid, DependencyUnavailable, BundleRefused]
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    assert all(kind.exit_code != 0 for kind in kinds)
