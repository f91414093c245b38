"""Pipeline component: item-to-item and popularity tables."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def build_tables(dataset: Input[Dataset], training: Input[Dataset], tables: Output[Dataset]) -> None:
    """Count item-to-item and popularity tables as of the first ranking window, the cut and the data's end."""
    from pathlib import Path

    from components.build_tables.step import build_tables as build

    tables.metadata["dataset"] = dataset.name
    tables.metadata.update(build(Path(training.path), Path(tables.path)))
