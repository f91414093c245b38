"""Pipeline component: feature tables into Feast's offline store."""

from kfp import dsl
from kfp.dsl import Dataset, Input

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def publish_features(features: Input[Dataset]) -> str:
    """Publish feature tables and apply the feature repository; returns the features' fingerprint."""
    from pathlib import Path

    from endcap.core.settings import load_settings
    from endcap.features.store.publish import publish_features as publish

    return publish(Path(features.path), load_settings())
