"""Bundles and clients of Milvus, as the library's own tests have them."""

from tests.endcap.conftest import client, make_bundle

__all__ = ["client", "make_bundle"]
