"""Where bundles go to be rolled out: read from the settings and checked, long before there is a bundle."""

from dataclasses import dataclass

from endcap.core.errors import InvalidInput
from endcap.core.settings import RolloutSettings
from endcap.release.bundle.store import BundleStore, open_bundle_store


@dataclass(frozen=True)
class RolloutTarget:
    """A cluster's stable InferenceService and its bundle store.

    Attributes:
        inference_service: its name.
        store: where bundles are copied to.
        storage_uri: the store as KServe names it.
    """

    inference_service: str
    store: BundleStore
    storage_uri: str

    def storage_uri_of(self, version: int) -> str:
        return f"{self.storage_uri}/{version}"


def rollout_target(settings: RolloutSettings) -> RolloutTarget | None:
    """The target of the settings, or None when bundles are promoted locally.

    Raises:
        InvalidInput: there is a target, but no store or no name of it for KServe, or pyarrow cannot open such a store.
    """
    if not settings.target:
        return None
    for name, value, example in (
        ("BUNDLE_STORE", settings.bundle_store, "a folder or s3://bucket/bundles"),
        ("STORAGE_URI", settings.storage_uri, "pvc://claim/bundles or s3://bucket/bundles"),
    ):
        if not value:
            fix = f"set it to {example}, or unset ENDCAP_ROLLOUTS__TARGET to promote bundles locally"
            raise InvalidInput(f"is needed to roll out to {settings.target}", field=f"ENDCAP_ROLLOUTS__{name}", fix=fix)
    if "://" not in str(settings.storage_uri):
        raise InvalidInput(
            "must be an address", field="ENDCAP_ROLLOUTS__STORAGE_URI", value=settings.storage_uri, fix="for example pvc://claim/bundles"
        )
    return RolloutTarget(settings.target, open_bundle_store(str(settings.bundle_store)), str(settings.storage_uri).rstrip("/"))
