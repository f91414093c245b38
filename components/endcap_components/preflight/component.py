"""Pipeline component: what must be right before hours of training."""

from kfp import dsl

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def preflight(
    *,
    data_dir: str,
    fingerprint: str,
    distil: dict,  # type: ignore[type-arg]
    precision: str,
    item_to_item: dict,  # type: ignore[type-arg]
    signals: dict,  # type: ignore[type-arg]
    two_tower: dict,  # type: ignore[type-arg]
    ranker: dict,  # type: ignore[type-arg]
    quotas: dict,  # type: ignore[type-arg]
    popularity_days: int,
    ease: dict,  # type: ignore[type-arg]
    batching: dict,  # type: ignore[type-arg]
    home: dict,  # type: ignore[type-arg]
) -> str:
    """Check settings and the parameters of all steps; returns the fingerprint asked for, or the dataset's present one when none was.

    The steps after it are cached by the fingerprint, so a schedule without one trains again just when the dataset changed.
    """
    from pathlib import Path

    from endcap.core.settings import load_settings
    from endcap_components.preflight.step import check_lists, check_models, check_parameters, preflight_step

    check_parameters(distil, precision, item_to_item, signals)
    check_models(two_tower, ranker, quotas)
    check_lists(popularity_days, ease, batching, home)
    return preflight_step(Path(data_dir), fingerprint, load_settings())
