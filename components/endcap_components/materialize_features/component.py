"""Pipeline component: features into the online store."""

from kfp import dsl

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def materialize_features(published: str, collection: str) -> str:
    """Fill the online store up to the end of the published features; returns that moment.

    Args:
        published: fingerprint of the published features; the step follows their publication.
        collection: of the bundle that will read them; the step follows its index.
    """
    from endcap.core.log import get_logger
    from endcap.core.settings import load_settings
    from endcap_components.materialize_features.step import materialize_features_step

    until = materialize_features_step(load_settings()).isoformat()
    get_logger("materialize_features").info("online", until=until, features=published, read_by=collection)
    return until
