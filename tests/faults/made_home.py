"""`python -m tests.faults.made_home`: what a deployment serves, in a process of its own, since TensorFlow would weigh on the tests.

Version 1 of a synthetic bundle, promoted; version 2 beside it, whose embeddings have another length and whose titles name other brands;
and a few people in the real feature store.
"""

import sys

from endcap.core.settings import Settings, load_settings
from endcap.release.index.collection import collection_name
from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_bundle, promote_synthetic
from endcap_benchmarks.synthetic.made_users import publish_users

FIRST = SyntheticSize(items=2_000, dim=16, brand_items=4)
SECOND = SyntheticSize(items=2_000, dim=24, brand_items=1, seed=8)
USERS = 60


def title(bundle: str, number: int) -> str:
    """The title of an item in one of the two bundles."""
    size = {"endcap-1": FIRST, "endcap-2": SECOND}[bundle]
    return f"Item {number} of {size.brand(number)}, pack of {1 + number % 12}"


def make_home(settings: Settings) -> None:
    prefix = settings.milvus.collection_prefix
    promote_synthetic(settings.served_dir, 1, collection_name(prefix, 1), FIRST)
    make_bundle(settings.bundles_dir / "2", 2, collection_name(prefix, 2), SECOND)
    publish_users(settings, FIRST, USERS, seed=7)


if __name__ == "__main__":
    sys.exit(make_home(load_settings()))
