"""Moving the newest features into the online store."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from endcap.core.errors import DataRejected, DependencyUnavailable
from endcap.core.settings import Settings
from endcap.features.manifest import read_manifest
from endcap.features.store.names import USER_ITEM, USER_VIEWS
from endcap.features.store.open import open_store
from endcap.features.store.packed_batch import write_packed
from endcap.features.store.packed_views import BATCH_PACKED
from endcap.features.store.quick_import import quiet_feast

if TYPE_CHECKING:
    from feast import FeatureStore


def materialize(settings: Settings, until: datetime) -> dict[str, datetime]:
    """Write each user's newest features as of `until` to the online store, column by column and packed.

    A snapshot has a row for every user with a purchase before it, so the newest one is all there is to read.

    Args:
        settings: where the store and the published features are.
        until: UTC; the features' data end, usually.

    Returns:
        The moment of the features by view.

    Raises:
        DataRejected: no snapshot is as old as `until`, or no features are published.
        DependencyUnavailable: the store does not take them.
    """
    manifest = read_manifest(settings.features_dir)
    store = open_store(settings)
    moments: dict[str, datetime] = {}
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        for view in progress.track(USER_VIEWS, description="online features"):
            times = manifest.pair_times if view == USER_ITEM else manifest.snapshot_times
            past = [moment for moment in times if moment <= until]
            if not past:
                raise DataRejected(
                    "no snapshot is that old", field="until", value=until.isoformat(), fix=f"use {times[0].isoformat()} or later"
                )
            _materialize_view(store, view, past[-1])
            moments[view] = past[-1]
    # After the columns: until a packed row is there, they are newer, and read.
    for table, packed in BATCH_PACKED.items():
        write_packed(store, settings.features_dir / f"{table}.parquet", packed, moments[packed.column_views[0]])
    return moments


def _materialize_view(store: "FeatureStore", view: str, snapshot: datetime) -> None:
    try:
        with quiet_feast():
            store.materialize(start_date=snapshot - timedelta(seconds=1), end_date=snapshot, feature_views=[view])
    except Exception as error:
        raise DependencyUnavailable(
            f"cannot be written: {error}", field=f"online store, view {view}", fix="apply the features again: endcap features"
        ) from error
