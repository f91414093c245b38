"""Where incremental materialisation starts."""

from datetime import datetime, timedelta

from endcap.core.errors import DataRejected
from endcap.features.manifest import read_manifest
from endcap_feature_repo.sources import SETTINGS


def since_newest_snapshot() -> list[tuple[datetime, datetime]]:
    """An interval that ends just before the newest snapshot, which has a row for every user with a purchase.

    Feast starts a first incremental run at the present minus the view's lifetime; recorded data may lie years before that.
    """
    try:
        newest = read_manifest(SETTINGS.features_dir).data_end
    except DataRejected:
        return []
    start = newest - timedelta(seconds=1)
    return [(start, start)]
