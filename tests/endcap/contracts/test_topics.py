import pytest

from endcap.contracts.logged_event import LoggedEvent
from endcap.contracts.topics import TOPICS, next_stem, topic_called, value_subject


def test_each_topic_is_named_behind_the_prefix_and_has_a_subject_of_its_own() -> None:
    names = [topic.named("shop-prod") for topic in TOPICS]
    assert names == ["shop-prod.events.v1", "shop-prod.impressions.v1", "shop-prod.rejected.v1", "shop-prod.catalogue.v1"]
    assert [value_subject(name) for name in names] == [f"{name}-value" for name in names]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.stem)
def test_a_topic_is_found_by_its_name(topic: object) -> None:
    assert topic_called(topic.named("shop"), "shop") is topic  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["endcap-events", "events.v1", "other.impressions.v1"])
def test_a_topic_of_another_name_has_events(name: str) -> None:
    assert topic_called(name, "shop").contract is LoggedEvent


@pytest.mark.parametrize(("stem", "following"), [("events.v1", "events.v2"), ("impressions.v9", "impressions.v10")])
def test_what_readers_cannot_read_goes_to_the_next_topic(stem: str, following: str) -> None:
    assert next_stem(stem) == following
