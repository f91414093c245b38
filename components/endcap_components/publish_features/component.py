"""Pipeline component: feature tables into Feast's offline store."""

from kfp import dsl
from kfp.dsl import Dataset, Input

from endcap_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def publish_features(features: Input[Dataset]) -> str:
    """Publish feature tables and apply the feature repository; returns the features' fingerprint."""
    from pathlib import Path

    from endcap_components.publish_features.step import publish_features_step

    return publish_features_step(Path(features.path))
