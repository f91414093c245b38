"""What requests have for an offline store. Any other would bring its engine along: DuckDB and Ibis are 34 MB of each server's memory."""

from typing import Literal

from feast.infra.offline_stores.offline_store import OfflineStore
from feast.repo_config import FeastConfigBaseModel


class NoOfflineStoreConfig(FeastConfigBaseModel):
    """Nothing to configure. Feast finds it by its name."""

    type: Literal["endcap.features.store.no_offline_store.NoOfflineStore"] = "endcap.features.store.no_offline_store.NoOfflineStore"


class NoOfflineStore(OfflineStore):
    """Refuses whatever is asked of it, as Feast's base class does."""
