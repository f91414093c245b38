"""Parts of the users that are judged by themselves: how much is known of them, how new they are, what they pay, what they like."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.evaluation.evaluate_lists import SEGMENT_USERS_MIN, by_value, history_terciles, large_enough
from endcap_benchmarks.quality.task import TaskCatalogue

LIGHT_ITEMS = 5
"""Up to so many distinct items a user counts as light."""
NEW_DAYS = 28
"""A user whose first purchase is not older counts as new."""
CATEGORIES = 6
"""Most categories that get a segment each, those with the most users."""
SAME_TASTE = 0.8
"""A level at which so many users favour the same category tells them not apart."""
HISTORY_NAMES = tuple(f"history: {name} third" for name in ("shortest", "middle", "longest"))
PRICE_NAMES = ("low", "middle", "high")


def user_segments(
    history: pl.DataFrame, user_ids: Sequence[str], catalogue: TaskCatalogue, *, knows_times: bool
) -> dict[str, NDArray[np.bool_]]:
    """Segments that are large enough and not everybody, bool [users] by name.

    Args:
        history: columns user_id, item_index, age_days, unit_price: what is known of the users.
        user_ids: the users, by row.
        catalogue: of the items.
        knows_times: whether ages say more than an order.
    """
    rows = pl.DataFrame({"user_id": list(user_ids)})
    known = history.group_by("user_id").agg(pl.col("item_index").n_unique().alias("items"), pl.col("age_days").max().alias("first_age"))
    known = rows.join(known, on="user_id", how="left", maintain_order="left")
    items = known["items"].fill_null(0).to_numpy()
    first_age = known["first_age"].fill_null(0).to_numpy()
    segments = {
        **dict(zip(HISTORY_NAMES, history_terciles(items).values(), strict=True)),
        f"light: up to {LIGHT_ITEMS} items": items <= LIGHT_ITEMS,
        f"new: first bought within {NEW_DAYS} days": (first_age <= NEW_DAYS) & knows_times,
        **_price_levels(history, rows, catalogue),
        **_preferences(history, rows, catalogue),
    }
    return {name: part for name, part in large_enough(segments).items() if not part.all()}


def _price_levels(history: pl.DataFrame, rows: pl.DataFrame, catalogue: TaskCatalogue) -> dict[str, NDArray[np.bool_]]:
    """Thirds of the users by what they pay, compared with what others pay in the same category."""
    leaf = catalogue.table.leaf_code[history["item_index"].to_numpy()]
    paid = history.select("user_id", "unit_price").with_columns(pl.Series("category", leaf)).filter(pl.col("unit_price") > 0)
    ratio = pl.col("unit_price") / pl.col("unit_price").mean().over("category")
    level = paid.with_columns(ratio.log().alias("ratio")).group_by("user_id").agg(pl.col("ratio").mean())
    by_user = rows.join(level, on="user_id", how="left", maintain_order="left")["ratio"].to_numpy().astype(np.float64)
    has_level = ~np.isnan(by_user)
    if has_level.sum() < 3 * SEGMENT_USERS_MIN:
        return {}
    third = np.searchsorted(np.quantile(by_user[has_level], [1 / 3, 2 / 3]), by_user)
    return {f"price level: {name}": has_level & (third == place) for place, name in enumerate(PRICE_NAMES)}


def _preferences(history: pl.DataFrame, rows: pl.DataFrame, catalogue: TaskCatalogue) -> dict[str, NDArray[np.bool_]]:
    """Users by the category that they bought most from, at the broadest level at which users differ."""
    for level in range(catalogue.table.category_codes.shape[1]):
        favourite = _favourites(history, rows, catalogue.table.category_codes[history["item_index"].to_numpy(), level])
        known = favourite[favourite > 0]
        if len(known) and np.bincount(known).max() < SAME_TASTE * len(known):
            found, users = np.unique(known, return_counts=True)
            largest = set(found[np.argsort(-users, kind="stable")][:CATEGORIES].tolist())
            names = [catalogue.table.categories.name(code) if code in largest else "" for code in favourite.tolist()]
            return by_value("buys most", names)
    return {}


def _favourites(history: pl.DataFrame, rows: pl.DataFrame, codes: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64 [users], the code that stands most often in a user's history, 0 where none does."""
    counted = history.select("user_id").with_columns(pl.Series("code", codes)).filter(pl.col("code") > 0).group_by("user_id", "code").len()
    first = counted.sort("user_id", "len", "code", descending=[False, True, False]).unique("user_id", keep="first", maintain_order=True)
    found = rows.join(first, on="user_id", how="left", maintain_order="left")["code"]
    favourites: NDArray[np.int64] = found.fill_null(0).to_numpy().astype(np.int64)
    return favourites
