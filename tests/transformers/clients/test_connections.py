"""A Milvus that is still starting is waited for, and one that never comes is an error."""

from typing import Any

import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import MilvusSettings
from endcap_transformer.clients import connections


class Client:
    def close(self) -> None:
        return


def test_a_milvus_that_is_still_starting_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [DependencyUnavailable("not yet"), DependencyUnavailable("not yet")]

    def connect(_settings: MilvusSettings) -> Any:
        if failures:
            raise failures.pop()
        return Client()

    monkeypatch.setattr(connections, "connect", connect)
    monkeypatch.setattr(connections, "RETRY_SECONDS", 0.0)
    connections.wait_for_milvus(MilvusSettings(), 60.0)
    assert failures == []


def test_a_milvus_that_does_not_come_is_an_error() -> None:
    with pytest.raises(DependencyUnavailable, match="no Milvus answers"):
        connections.wait_for_milvus(MilvusSettings(port=1), 0.0)
