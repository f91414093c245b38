"""The step materialize_features: the newest features of every user in the online store."""

import json
from datetime import datetime

from endcap.core.settings import Settings
from endcap.features.manifest import read_manifest
from endcap.features.store.materialize import materialize

RECORD_NAME, ONLINE_NAME = "materialized.json", "online.db"


def materialize_features_step(settings: Settings) -> datetime:
    """Bring the online store to the end of the published features, unless it is there already; returns that moment.

    Raises:
        DataRejected: no features are published.
        DependencyUnavailable: the store does not take them.
    """
    manifest = read_manifest(settings.features_dir)
    there = json.dumps({"features": manifest.fingerprint, "until": manifest.data_end.isoformat()})
    record = settings.feast_dir / RECORD_NAME
    # A record tells of the store it lies beside; a shared one may have been emptied since, and is filled each time.
    known = record.is_file() and (settings.feast_dir / ONLINE_NAME).is_file() and record.read_text(encoding="utf-8") == there
    if not known:
        record.unlink(missing_ok=True)
        materialize(settings, manifest.data_end)
        record.write_text(there, encoding="utf-8")
    return manifest.data_end
