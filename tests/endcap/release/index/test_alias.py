"""An alias that is not there is made; one that cannot be moved is an error."""

import pytest
from pymilvus import MilvusException

from endcap.release.index.alias import ALIAS_NOT_FOUND, aliased_collection, move_alias


class Failing:
    """A Milvus whose aliases cannot be read or moved, for one reason."""

    def __init__(self, code: int) -> None:
        self._error = MilvusException(code=code, message="as asked")
        self.created: list[tuple[str, str]] = []

    def describe_alias(self, _alias: str) -> None:
        raise self._error

    def alter_alias(self, *_: str) -> None:
        raise self._error

    def create_alias(self, collection: str, alias: str) -> None:
        self.created.append((collection, alias))


def test_an_alias_that_is_not_there_is_none_and_is_made() -> None:
    client = Failing(ALIAS_NOT_FOUND)
    assert aliased_collection(client, "endcap") is None
    move_alias(client, "endcap", "endcap_2")
    assert client.created == [("endcap_2", "endcap")]


def test_an_alias_that_cannot_be_read_or_moved_is_an_error_and_not_made() -> None:
    client = Failing(1)
    with pytest.raises(MilvusException, match="as asked"):
        aliased_collection(client, "endcap")
    with pytest.raises(MilvusException, match="as asked"):
        move_alias(client, "endcap", "endcap_2")
    assert client.created == []
