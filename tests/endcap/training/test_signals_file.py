"""A shop says in one file how much each type of event teaches."""

from pathlib import Path

import pytest

from endcap.contracts.signals import Signals
from endcap.core.errors import InvalidInput
from endcap.training.signals_file import read_signals, signals_of


def written(folder: Path, text: str) -> Path:
    (folder / "signals.yaml").write_text(text, encoding="utf-8")
    return folder / "signals.yaml"


def test_what_is_not_named_has_its_default(tmp_path: Path) -> None:
    signals = read_signals(written(tmp_path, "product_view:\n  weight: 0.1\nlow_rating: 2\n"))
    assert signals.product_view.weight == 0.1
    assert signals.low_rating == 2
    assert signals.purchase == Signals().purchase
    assert read_signals(written(tmp_path, "")) == read_signals(None) == Signals()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("product_view:\n  weight: -1\n", r"signals\.yaml\.product_view\.weight, line 2: .*greater than or equal to 0; got -1"),
        ("product_views:\n  weight: 1\n", r"product_views, line 1: .*it may hold purchase, add_to_cart"),
        ("\n".join(f"{name}: {{weight: 0}}" for name in ("purchase", "add_to_cart", "product_view", "rating")), "every weight is 0"),
        ("[]", "signals.yaml"),
        ("product_view: *anchor", "anchors and aliases"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_signals(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.yaml: cannot be read"):
        read_signals(tmp_path / "none.yaml")


def test_a_parameter_is_checked_alike() -> None:
    assert signals_of({}) == Signals()
    assert signals_of(Signals(low_rating=1).model_dump(mode="json")) == Signals(low_rating=1)
    with pytest.raises(InvalidInput, match=r"signals\.rating\.weight"):
        signals_of({"rating": {"weight": "much"}})
