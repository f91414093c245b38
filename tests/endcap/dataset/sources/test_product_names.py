import pytest

from endcap.dataset.sources.product_names import readable, readable_size, title


@pytest.mark.parametrize(
    ("shorthand", "name"),
    [
        ("FRZN MEAT/MEAT DINNERS", "Frozen Meat/Meat Dinners"),
        ("CANDY BARS (SINGLES)(INCLUDING", "Candy Bars (Singles)"),
        ("CHIX: ROTISSERIE (HOT)", "Chicken: Rotisserie (Hot)"),
        ("BBQ SAUCE", "BBQ Sauce"),
        ("MARGARINE: TUBS AND BOWLS", "Margarine: Tubs and Bowls"),
        ("WOMEN S GENERAL-MAGAZINE", "Women's General-Magazine"),
        ("FLUID MILK WHITE ONLY", "White Milk"),
        ("MAINSTREAM WHEAT/MULTIGRAIN BR", "Mainstream Wheat/Multigrain"),
        ("CHRISTMAS  SEASONAL", "Christmas Seasonal"),
        ("-", "-"),
    ],
)
def test_till_shorthand_becomes_words(shorthand: str, name: str) -> None:
    assert readable(shorthand) == name


@pytest.mark.parametrize(
    ("size", "shown"),
    [("22 LB", "22 lb"), ("L      8 OZ", "8 oz"), ("(600) 4 LB", "4 lb"), ("974246  PK", None), ("  ", None), (".5 L", ".5 l")],
)
def test_sizes_lose_the_tills_codes(size: str, shown: str | None) -> None:
    assert readable_size(size) == shown


@pytest.mark.parametrize(
    ("described", "name"),
    [
        (("POTATO CHIPS", "BAG SNACKS", "GROCERY", "8 OZ"), "Potato Chips, 8 oz"),
        (("PREMIUM", "ICE CREAM/MILK/SHERBTS", "GROCERY", "48 OZ"), "Ice Cream/Milk/Sherbets - Premium, 48 oz"),
        (("CHOICE BEEF", "BEEF", "MEAT", None), "Choice Beef"),
        (("BANANAS", "TROPICAL FRUIT", "PRODUCE", "40 LB"), "Bananas"),
        ((None, None, "MISCELLANEOUS", None), "Miscellaneous"),
        ((None, "EGGS", "GROCERY", None), "Eggs"),
    ],
)
def test_a_title_says_what_the_product_is(described: tuple[str | None, str | None, str, str | None], name: str) -> None:
    assert title(*described) == name
