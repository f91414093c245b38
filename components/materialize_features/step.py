"""The step materialize_features: the newest features of every user in the online store."""

import json
from datetime import datetime

from endcap.feature_store.materialize import materialize
from endcap.features.manifest import read_manifest
from endcap.settings import Settings

RECORD_NAME = "materialized.json"


def materialize_features_step(settings: Settings) -> datetime:
    """Bring the online store to the end of the published features, unless it is there already; returns that moment.

    Raises:
        DataRejected: no features are published.
        DependencyUnavailable: the store does not take them.
    """
    manifest = read_manifest(settings.features_dir)
    there = json.dumps({"features": manifest.fingerprint, "until": manifest.data_end.isoformat()})
    # Beside a local store only: on a cluster each run starts without the record and fills the shared store.
    record = settings.feast_dir / RECORD_NAME
    if not record.is_file() or record.read_text(encoding="utf-8") != there:
        record.unlink(missing_ok=True)
        materialize(settings, manifest.data_end)
        record.write_text(there, encoding="utf-8")
    return manifest.data_end
