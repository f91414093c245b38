"""Bundles and a Milvus, as the library's own tests have them."""

from tests.endcap.conftest import client, make_bundle, milvus, milvus_home

__all__ = ["client", "make_bundle", "milvus", "milvus_home"]
