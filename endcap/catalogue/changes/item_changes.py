"""What items are now, from all that was said of them."""

import polars as pl

from endcap.catalogue.changes.change_log import change_schema
from endcap.catalogue.item_updates import VALUES, latest_values, update_schema
from endcap.events.stream.function import KEY, Instant, Step, no_due

ITEM = "item"
_ORDER = ("updated_at", "received_at", "change_id")
"""Later holds; what became so and came at the same moment is ordered by its id, as it stood in its request."""

STATE_SCHEMA = pl.Schema({KEY: pl.String(), **{name: kind for name, kind in change_schema().items() if name != "item_id"}})
CHANGES_SCHEMA = pl.Schema({**update_schema(), ITEM: pl.String()})
"""Item updates, and where a whole item came the item, a JSON object as text."""


class ItemChanges:
    """Keeps of each item its newest values, each with its moment, and the newest whole item. Its events are rows of the catalogue's log.

    A change counts whenever it comes: `updated_at` alone says whether it holds, so no watermark is needed.
    """

    name = "item_changes"
    state_schema = STATE_SCHEMA
    row_schema = CHANGES_SCHEMA
    row_key = ("item_id", "updated_at")

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        """Changes under their item.

        Args:
            events: columns of `CatalogueChange`.
        """
        return _typed(events.rename({"item_id": KEY}))

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:  # noqa: ARG002 - nothing hangs on the time
        """As `StreamFunction.step`."""
        ordered = pl.concat([_typed(state), _typed(events)]).unique([KEY, "change_id"], keep="last").sort(_ORDER)
        kept = latest_values(ordered, (*VALUES, ITEM), KEY)
        # A value stands in one row, so those of a moment make one row between them.
        said = kept.group_by(KEY, "updated_at", maintain_order=True).agg(pl.col(name).drop_nulls().first() for name in (*VALUES, ITEM))
        rows = said.rename({KEY: "item_id"}).select(pl.col(name).cast(kind) for name, kind in CHANGES_SCHEMA.items())
        return Step(state=kept, rows=rows, due=no_due())


def _typed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(kind) for name, kind in STATE_SCHEMA.items())
