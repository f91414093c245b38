"""Consent in the request path: whose features are read, what the answer says, and what its impression carries."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from endcap.contracts.answer import Answer
from endcap.contracts.event import Event
from endcap.contracts.request import Consent, Filters, Instance
from endcap.core.clock import system_clock
from endcap.core.settings import ConsentSettings, ServingSettings, Settings
from endcap.engine.rules.file.rule_file import RuleFile
from endcap.engine.rules.rule_book import RuleBook
from endcap.events.log.batches import Impressions
from endcap.features.columns import USER_CATEGORICAL
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.features import FeatureReader
from endcap_transformer.path.impressions import ImpressionLog
from endcap_transformer.path.request_path import RequestPath
from endcap_transformer.resilience.answer_cache import SharedAnswers
from endcap_transformer.server.server import path_parts
from endcap_transformer.telemetry.metrics import ServingMetrics
from endcap_transformer.telemetry.rule_counts import RuleCounts
from tests.transformers.path.test_request_path import IDS, ExactIndex, ListedImpressions, Model, Store, items_of, without_exploration

YES, NO = ConsentSettings(personalisation=True, analytics=True), ConsentSettings(personalisation=False, analytics=False)
PERSONS = [{"user_id": "U1"}, {"session_id": "S1"}, {"user_id": "U1", "session_id": "S1"}]
OWN_SOURCES = {"buy_again", "left_in_cart", "recently_viewed", "similar_users", "two_tower", "stale_answer"}
PATIENT = ServingSettings(request_budget_ms=20_000, features_timeout_ms=5_000, retrieval_timeout_ms=5_000, rank_timeout_ms=5_000)


class CountingStore(Store):
    """Knows user U1 and session S1, and counts who was read; `is_away` makes reads fail."""

    def __init__(self, row: dict[str, Any]) -> None:
        session = {"session_item_ids": [IDS[100]], "session_event_types": ["product_view"]}
        super().__init__({"U1": {"user": row, "session": None}, "S1": {"user": None, "session": session}})
        self.reads: list[tuple[str | None, str | None]] = []
        self.is_away = False

    def read(self, user_id: str | None, session_id: str | None) -> Any:
        self.reads.append((user_id, session_id))
        if self.is_away:
            raise OSError("connection refused")
        return super().read(user_id, session_id)


class Shop:
    """A request path with its feature store and its log; `consent` is the setting."""

    def __init__(self, served: ServedBundle, row: dict[str, Any], consent: ConsentSettings) -> None:
        self.served, self.store, self.log = served, CountingStore(row), ListedImpressions()
        chosen = Settings(serving=PATIENT, consent=consent)
        metrics = ServingMetrics(CollectorRegistry())
        parts = path_parts(chosen, FeatureReader(self.store, chosen, metrics), ExactIndex(served), Model(served), self.log, metrics)
        self.path = RequestPath(replace(parts, plans={name: without_exploration(plan) for name, plan in parts.plans.items()}))

    def ask(self, request_id: str = "r", **fields: Any) -> Answer:
        instance = Instance(**fields)
        (plan,) = self.path.plans([instance])
        return asyncio.run(self.path.recommend(instance, plan, self.served, request_id))

    def events(self) -> list[Event]:
        return [Event.model_validate_json(line) for batch in self.log.batches for line in batch.json_lines().splitlines()]


@pytest.mark.parametrize("person", PERSONS)
@pytest.mark.parametrize(
    ("setting", "stated"), [(NO, {}), (YES, {"personalisation": False}), (NO, {"analytics": True}), (NO, {"personalisation": None})]
)
def test_without_personalisation_no_feature_is_read_and_the_answer_says_so(served, feature_row, person, setting, stated) -> None:
    shop = Shop(served, feature_row, setting)
    for surface in ("home", "product", "cart", "search"):
        answer = shop.ask(**person, surface=surface, item_ids=[IDS[3]], consent=Consent(**stated))
        assert (answer.personalised, answer.degraded) == (False, [])
        assert answer.recommendations
    assert shop.store.reads == []


@pytest.mark.parametrize(("setting", "stated"), [(YES, {}), (NO, {"personalisation": True}), (YES, {"analytics": False})])
def test_with_personalisation_features_are_read_and_the_answer_says_so(served, feature_row, setting, stated) -> None:
    shop = Shop(served, feature_row, setting)
    assert shop.ask(user_id="U1", session_id="S1", consent=Consent(**stated)).personalised
    assert shop.store.reads == [("U1", "S1")]


def test_a_request_without_user_and_session_is_not_personalised(served, feature_row) -> None:
    assert not Shop(served, feature_row, YES).ask().personalised


@pytest.mark.parametrize("asked", [{}, {"surface": "product", "item_ids": [IDS[200]]}, {"filters": Filters(categories=["GROCERY"])}])
def test_a_person_without_personalisation_gets_the_list_of_a_request_without_user_and_session(served, feature_row, asked) -> None:
    shop = Shop(served, feature_row, YES)
    personal = shop.ask(user_id="U1", k=40, **asked)
    refused = shop.ask(user_id="U1", session_id="S1", k=40, consent=Consent(personalisation=False), **asked)
    assert items_of(refused) == items_of(shop.ask(k=40, **asked)) != items_of(personal)
    if not asked:
        assert not {item.source for item in refused.recommendations} & OWN_SOURCES


def test_a_persons_last_list_is_neither_given_nor_kept_without_personalisation(served, feature_row) -> None:
    shop = Shop(served, feature_row, YES)
    refusal = Consent(personalisation=False)
    shop.ask(user_id="U9", consent=refusal)
    shop.ask(user_id="U1", session_id="S2", k=20)
    shop.store.is_away = True
    assert {item.source for item in shop.ask(user_id="U1", session_id="S2").recommendations} == {"stale_answer"}
    for user in ("U1", "U9"):
        answer = shop.ask(user_id=user, session_id="S2", consent=refusal)
        assert answer.degraded == []
        assert "stale_answer" not in {item.source for item in answer.recommendations}
    assert "stale_answer" not in {item.source for item in shop.ask(user_id="U9", session_id="S2").recommendations}


def test_what_a_person_bought_cannot_be_left_out_without_personalisation_and_the_answer_says_so(served, feature_row) -> None:
    shop = Shop(served, feature_row, YES)
    only_new = {"user_id": "U1", "k": 100, "filters": Filters(new_to_user=True), "exclude": ["gone"]}
    assert shop.ask(**only_new).ignored == ["gone"]
    assert shop.ask(**only_new, consent=Consent(personalisation=False)).ignored == ["gone", "filters.new_to_user"]


def test_rules_about_a_persons_segment_do_not_hold_without_personalisation(served, feature_row) -> None:
    shown = items_of(Shop(served, feature_row, YES).ask())[0]
    name = next(name for name in USER_CATEGORICAL if feature_row[name])
    segment = f"{name}={feature_row[name]}"
    rule = {"id": "hidden", "when": {"segment": [segment]}, "where": f"item_id == '{shown}'", "exclude": True}
    book = RuleBook.compile(RuleFile.model_validate({"version": 1, "rules": [rule]}), served.tables.items)
    shop = Shop(replace(served, rules=book, rule_counts=RuleCounts(book.rules)), feature_row, YES)
    assert shown not in items_of(shop.ask(user_id="U1", k=200))
    assert shown in items_of(shop.ask(user_id="U1", k=200, consent=Consent(personalisation=False)))


@pytest.mark.parametrize("personalisation", [True, False])
@pytest.mark.parametrize(("setting", "stated"), [(YES, None), (NO, True)])
def test_with_analytics_the_impression_names_user_and_session(served, feature_row, personalisation, setting, stated) -> None:
    shop = Shop(served, feature_row, setting)
    shop.ask(user_id="U1", session_id="S1", consent=Consent(personalisation=personalisation, analytics=stated))
    assert {(event.user_id, event.session_id) for event in shop.events()} == {("U1", "S1")}
    assert {(event.consent, event.consent_analytics) for event in shop.events()} == {(personalisation, True)}


@pytest.mark.parametrize("personalisation", [True, False])
@pytest.mark.parametrize(("setting", "stated"), [(NO, None), (YES, False)])
def test_without_analytics_the_impression_names_neither_user_nor_session(served, feature_row, personalisation, setting, stated) -> None:
    shop = Shop(served, feature_row, setting)
    for _ in range(2):
        shop.ask(user_id="U1", session_id="S1", consent=Consent(personalisation=personalisation, analytics=stated))
    written = "".join(batch.json_lines() for batch in shop.log.batches)
    assert "U1" not in written
    assert "S1" not in written
    assert {(event.user_id, event.consent, event.consent_analytics) for event in shop.events()} == {(None, personalisation, False)}
    sessions = {event.session_id for event in shop.events()}
    assert len(sessions) == 2  # one a list
    assert {UUID(session).version for session in sessions} == {4}
    assert {key for batch in shop.log.batches for key in batch.persons()} == sessions


def test_a_list_given_to_several_requests_has_a_session_each_without_analytics(served, feature_row) -> None:
    shop = Shop(served, feature_row, NO)
    shared = SharedAnswers([Instance()], [shop.ask()])
    log = ListedImpressions()
    impressions = ImpressionLog(log, system_clock, ServingMetrics(CollectorRegistry()), NO)  # type: ignore[arg-type]
    for request_id in ("a", "b"):
        impressions.log_shared(shared, request_id)
    batches: list[Impressions] = log.batches
    assert [(batch.request_id, batch.consent, batch.consent_analytics) for batch in batches] == [("a", False, False), ("b", False, False)]
    assert len({batch.session_id for batch in batches}) == 2
