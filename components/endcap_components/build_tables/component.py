"""Pipeline component: item-to-item and popularity tables."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def build_tables(
    *,
    dataset: Input[Dataset],
    training: Input[Dataset],
    item_to_item: dict,  # type: ignore[type-arg]
    ease: dict,  # type: ignore[type-arg]
    popularity_days: int,
    seed: int,
    tables: Output[Dataset],
) -> None:
    """Item-to-item and popularity tables as of the first ranking window, the cut and the data's end."""
    from pathlib import Path

    from endcap_components.build_tables.step import build_tables as build

    tables.metadata["dataset"] = dataset.name
    counts = build(Path(training.path), Path(tables.path), item_to_item=item_to_item, ease=ease, popularity_days=popularity_days, seed=seed)
    tables.metadata.update(counts)
