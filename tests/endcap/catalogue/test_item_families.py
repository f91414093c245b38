import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.item_families import family_ids


def families(*titles: str, brand: str | None = None, path: list[str] | None = None, given_ids: list[str | None] | None = None) -> list[str]:
    items = pl.DataFrame(
        {
            "item_id": [str(number) for number in range(len(titles))],
            "title": titles,
            "category_path": [["Shop", "Shelf"] if path is None else path] * len(titles),
            "brand": [brand] * len(titles),
        },
        schema_overrides={"brand": pl.String, "category_path": pl.List(pl.String)},
    )
    if given_ids is not None:
        items = items.with_columns(pl.Series("family_id", given_ids, dtype=pl.String))
    return family_ids(items).to_list()


@pytest.mark.parametrize(
    "titles",
    [
        ("Whole milk 1 l", "Whole milk 0.5 l", "whole milk, 500ml", "Whole Milk 6 x 1 L"),
        ("T-Shirt rot M", "T-Shirt blau L", "T-shirt XXL", "T-Shirt (dunkelblau), S"),
        ("Red t-shirt XS", "Blue t-shirt XL"),
        ("Ceramic mug, blue", "Ceramic mug, white", "Ceramic mug 300 ml"),
        ("Green tea 20 bags", "Green tea 100 g", "Green tea, 2er Pack"),
        ("Jeans size 32", "Jeans size 34", "Jeans EU 40"),
        ("Cake tins set of 3", "Cake tins set of 6"),
        ("Cola 330ml", "Cola 1,5 L", "COLA 12 x 330 ml"),
        ("Cable 2m", "Cable 5m"),
        ("2x Olive oil 500 ml", "Olive oil 1 l", "Olive oil, box of 6 pcs"),
        ("Flour 1 kg", "Flour 500 g", "Flour, 2.5 kg"),
    ],
)
def test_sizes_colours_units_and_counts_make_no_difference(titles: tuple[str, ...]) -> None:
    assert len(set(families(*titles))) == 1, families(*titles)


@pytest.mark.parametrize(
    "titles",
    [
        ("Milk 1.5 % fat", "Milk 3.5 % fat", "Milk 3,8% fat 1 l"),
        ("Nike Air 90", "Nike Air 95"),
        ("Nike Air 90 M", "Nike Air 95 M"),
        ("Green tea", "Black tea"),
        ("Lipton green tea 20 bags", "Lipton black tea 20 bags"),
        ("Red wine 0.75 l", "White wine 0.75 l"),
        ("Whole milk 1 l", "Oat milk 1 l"),
        ("Milk chocolate 100 g", "Chocolate milk 100 g"),
        ("500 ml", "330 ml"),
        ("Vitamin B 12", "Vitamin B 6"),
        ("iPhone 14", "iPhone 15"),
        ("BMW X3 1:18", "BMW X5 1:18"),
        ("Mate X 5", "Mate X 6"),
        ("Formula 1 game", "Formula 2 game"),
    ],
)
def test_what_is_another_thing_stays_apart(titles: tuple[str, ...]) -> None:
    assert len(set(families(*titles))) == len(titles), families(*titles)


def test_brands_and_categories_keep_families_apart() -> None:
    assert families("Whole milk", brand="A") != families("Whole milk", brand="B")
    assert families("Whole milk", path=["Dairy"]) != families("Whole milk", path=["Toys"])
    assert families("Whole milk", brand="ACME") == families("Whole milk 1 l", brand="Acme")


def test_what_the_shop_says_comes_first() -> None:
    assert families("Milk 1 l", "Milk 2 l", "Butter", given_ids=["m", None, "m"])[::2] == ["m", "m"]
    one, other = families("Milk 1 l", "Milk 2 l", given_ids=["", None])
    assert one == other


def test_items_without_category_and_brand_have_a_family() -> None:
    assert len(set(families("Milk 1 l", "Milk 2 l", path=[]))) == 1


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8))
def test_any_title_has_a_family_whatever_the_order(titles: list[str]) -> None:
    found = families(*titles)
    assert all(found)
    named = {title: family for title, family in zip(titles, found, strict=True) if not family.startswith("item")}
    assert families(*reversed(titles))[::-1] == found or {title: named[title] for title in named} == named
