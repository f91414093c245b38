from endcap.core.errors import BundleInvalid, BundleRefused, DataRejected, DependencyUnavailable, EndcapError, InvalidInput


def test_message_names_field_value_and_fix() -> None:
    error = InvalidInput("must be at most 500", field="k", value=501, fix="ask for fewer items")
    assert str(error) == "k: must be at most 500; got 501; ask for fewer items"


def test_long_values_are_shortened() -> None:
    text = str(InvalidInput("too long", field="query", value="x" * 10_000))
    assert len(text) < 250
    assert "10002 characters" in text


def test_every_kind_has_its_own_exit_code() -> None:
    kinds = [EndcapError, InvalidInput, DataRejected, BundleInvalid, DependencyUnavailable, BundleRefused]
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    assert all(kind.exit_code != 0 for kind in kinds)
