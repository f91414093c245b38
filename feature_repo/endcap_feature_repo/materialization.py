"""Where incremental materialisation starts."""

from datetime import datetime, timedelta

from endcap.features.manifest import MANIFEST_NAME, read_manifest
from endcap_feature_repo.sources import SETTINGS


def since_newest_snapshot() -> list[tuple[datetime, datetime]]:
    """An interval that ends just before the newest snapshot, which has a row for every user with a purchase.

    Feast starts a first incremental run at the present minus the view's lifetime; recorded data may lie years before that. Before the first
    features there is no interval.

    Raises:
        DataRejected: there is a manifest that cannot be read.
    """
    folder = SETTINGS.features_dir
    if not (folder / MANIFEST_NAME).exists():
        return []
    start = read_manifest(folder).data_end - timedelta(seconds=1)
    return [(start, start)]
