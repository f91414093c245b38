from pathlib import Path

import pytest

from endcap.contracts.topics import TOPICS, Topic
from endcap.core.errors import DataRejected, InvalidInput
from endcap.events.schemas.released import ReleasedSchema, newest_schema, released_schemas, write_version


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.stem)
def test_each_topic_has_a_schema_that_its_release_writes(topic: Topic) -> None:
    assert newest_schema(topic.stem) == released_schemas(topic.stem)[-1]


def test_versions_are_numbered_in_the_order_of_their_release(tmp_path: Path) -> None:
    for number in range(1, 12):
        assert write_version("events.v1", {"title": str(number)}, tmp_path).name == f"{number}.json"
    assert released_schemas("events.v1", tmp_path) == tuple(ReleasedSchema(number, {"title": str(number)}) for number in range(1, 12))
    assert newest_schema("events.v1", tmp_path).text == '{"title":"11"}'


def test_a_topic_without_a_schema_says_how_to_write_it(tmp_path: Path) -> None:
    assert released_schemas("events.v1", tmp_path) == ()
    with pytest.raises(InvalidInput, match="next_version"):
        newest_schema("events.v1", tmp_path)


def test_a_version_that_is_missing_is_noticed(tmp_path: Path) -> None:
    for _ in range(3):
        write_version("events.v1", {}, tmp_path)
    (tmp_path / "events.v1" / "2.json").unlink()
    with pytest.raises(DataRejected, match=r"versions are missing; got \[1, 3\]"):
        released_schemas("events.v1", tmp_path)


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_damaged_version_is_noticed(tmp_path: Path, content: str) -> None:
    write_version("events.v1", {}, tmp_path).write_text(content)
    with pytest.raises(DataRejected, match=r"1\.json: the file is no JSON"):
        released_schemas("events.v1", tmp_path)
