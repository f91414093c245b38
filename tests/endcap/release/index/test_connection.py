"""A Milvus that does not answer is an error with its reason, and for whoever only waits for it not ready yet."""

import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import MilvusSettings
from endcap.release.index.connection import answers, connect, port_is_taken


@pytest.mark.parametrize(("host", "reason"), [("127.0.0.1", "refused"), ("nowhere.invalid", "not known|resolution")])
def test_why_nothing_answers_is_said(host: str, reason: str) -> None:
    with pytest.raises(DependencyUnavailable, match=f"ENDCAP_MILVUS__HOST.*no Milvus answers: .*({reason})"):
        connect(MilvusSettings(host=host, port=1))


def test_a_milvus_that_is_not_there_does_not_answer_and_holds_no_port() -> None:
    settings = MilvusSettings(port=1)
    assert not answers(settings) and not port_is_taken(settings)


def test_a_milvus_whose_calls_fail_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from pymilvus import MilvusException

    class Failing:
        is_closed = False

        def list_collections(self, timeout: float) -> None:
            raise MilvusException(code=1, message="not now")

        def close(self) -> None:
            self.is_closed = True

    client = Failing()
    monkeypatch.setattr("endcap.release.index.connection.port_is_taken", lambda _: True)
    monkeypatch.setattr("endcap.release.index.connection.connect", lambda *_: client)
    assert not answers(MilvusSettings()) and client.is_closed
