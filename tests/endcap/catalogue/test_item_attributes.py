import numpy as np
import polars as pl

from endcap.catalogue.item_attributes import attribute_codes


def items(*rows: tuple[list[str], str | None, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"category_path": [row[0] for row in rows], "brand": [row[1] for row in rows], "attributes": [row[2] for row in rows]},
        schema={"category_path": pl.List(pl.String), "brand": pl.String, "attributes": pl.String},
    )


def shared(codes: np.ndarray, one: int, other: int) -> int:
    return len(set(codes[one][codes[one] > 0]) & set(codes[other][codes[other] > 0]))


def test_items_share_codes_for_levels_brands_and_attributes() -> None:
    codes = attribute_codes(
        items(
            (["Food", "Tea"], "B", '{"colour": "green"}'),
            (["Food", "Tea"], None, '{"colour": "green"}'),
            (["Food", "Bread"], "B", "{}"),
            (["Home", "Tea"], None, '{"size": "green"}'),
        )
    )
    assert codes.dtype == np.int32
    assert (codes[0] == 0).all()
    assert (shared(codes, 1, 2), shared(codes, 1, 3), shared(codes, 1, 4), shared(codes, 2, 3)) == (3, 2, 0, 1)


def test_what_one_item_alone_has_is_left_out_and_the_most_frequent_comes_first() -> None:
    codes = attribute_codes(items((["Food"], "X", "{}"), (["Food"], "Y", "{}"), (["Food"], "Y", '{"only": "here"}')))
    assert codes.tolist() == [[0, 0], [1, 0], [1, 2], [1, 2]]


def test_nothing_known_gives_no_columns() -> None:
    assert attribute_codes(items(([], None, "{}"), ([], None, "{}"))).shape == (3, 0)
