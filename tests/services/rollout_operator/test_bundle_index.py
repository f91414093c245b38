"""Milvus as the operator sees it, when it fails; the rest is tested on a real one among the cluster tests."""

from typing import Any

import grpc
import pytest
from pymilvus import MilvusException

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import MilvusSettings
from endcap_rollout_operator import bundle_index


class Failing:
    """A client whose calls end with an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.is_closed = False

    def describe_alias(self, _alias: str) -> Any:
        raise self._error

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("error", [grpc.RpcError("deadline exceeded"), MilvusException(code=1, message="not now")])
def test_a_milvus_that_answers_too_late_is_a_milvus_that_is_away(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Failing(error)
    monkeypatch.setattr(bundle_index, "connect", lambda *_: client)
    with pytest.raises(DependencyUnavailable, match="Milvus failed"):
        bundle_index.BundleIndex(MilvusSettings()).look("endcap_1", "endcap_2")
    assert client.is_closed
