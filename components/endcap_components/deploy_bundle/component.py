"""Pipeline component: promote the bundle."""

from kfp import dsl
from kfp.dsl import Input, Model

from endcap_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def deploy_bundle(bundle: Input[Model], collection: str, features_until: str) -> str:
    """Serve the bundle at once, or hand it to the rollout operator; returns what was done, in one sentence.

    Args:
        bundle: to promote.
        collection: its collection; the step follows its index.
        features_until: end of the online features; the step follows their publication.
    """
    from pathlib import Path

    from endcap.core.log import get_logger
    from endcap.core.settings import load_settings
    from endcap_components.deploy_bundle.step import deploy_bundle_step

    deployment = deploy_bundle_step(Path(bundle.path), load_settings())
    get_logger("deploy_bundle").info("ready", collection=collection, features_until=features_until)
    return deployment.message()
