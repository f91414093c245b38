"""What endcap sends to a schema registry, and what it makes of each answer."""

import json
from pathlib import Path

import httpx
import pytest

from endcap.core.errors import DependencyUnavailable, InvalidInput, SchemaIncompatible
from endcap.core.settings import SchemasSettings
from endcap.events.schemas.registry import Registered, SchemaRegistry, open_registry
from tests.endcap.events.schemas.made_registry import URL, ChangingRegistry, made_registry


def answering(status: int, **document: object) -> SchemaRegistry:
    return made_registry(lambda _request: httpx.Response(status, json=document))


def test_a_look_up_names_subject_and_schema_and_adds_nothing() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"subject": "a/b-value", "id": 7, "version": 2, "schema": "{}"})

    assert made_registry(answer).found("a/b-value", "{}") == Registered(7, 2)
    assert (sent[0].method, sent[0].url.raw_path) == ("POST", b"/apis/ccompat/v7/subjects/a%2Fb-value")
    assert json.loads(sent[0].content) == {"schema": "{}", "schemaType": "JSON"}
    assert sent[0].headers["content-type"] == "application/vnd.schemaregistry.v1+json"


@pytest.mark.parametrize("code", [40401, 40402, 40403])
def test_what_is_not_registered_is_none(code: int) -> None:
    registry = answering(404, error_code=code, message="not found")
    assert registry.found("s", "{}") is None
    assert registry.objections("s", "{}") is None
    assert registry.schema_of(3) is None


def test_a_refused_schema_says_why_and_where() -> None:
    with pytest.raises(SchemaIncompatible, match="events-value: the schema registry refuses the schema: b was removed"):
        answering(409, error_code=409, message="b was removed").register("events-value", "{}")


def test_objections_are_the_registrys_words() -> None:
    assert answering(200, is_compatible=True).objections("s", "{}") == ()
    assert answering(200, is_compatible=False, messages=["b was removed"]).objections("s", "{}") == ("b was removed",)
    assert answering(200, is_compatible=False).objections("s", "{}") == ("incompatible",)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_names_the_settings_of_the_login(status: int) -> None:
    with pytest.raises(DependencyUnavailable, match=r"ENDCAP_SCHEMAS__USER.*ENDCAP_SCHEMAS__TOKEN"):
        answering(status, message="no").found("s", "{}")


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(404, text="<html>"),
        httpx.Response(404, json={"error_code": 1}),
        httpx.Response(302, headers={"location": "/"}),
        httpx.Response(500, json={}),
        httpx.Response(200, text="hello"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"id": "seven", "version": 1}),
    ],
    ids=["no such page", "another error", "redirect", "failure", "no JSON", "no object", "no number"],
)
def test_an_answer_of_another_api_names_the_address(response: httpx.Response) -> None:
    with pytest.raises(DependencyUnavailable, match="ENDCAP_SCHEMAS__REGISTRY_URL: the schema registry"):
        made_registry(lambda _request: response).found("s", "{}")


def test_a_registry_that_is_away_is_named() -> None:
    with pytest.raises(DependencyUnavailable, match=f"the schema registry does not answer: refused; got '{URL}"):
        made_registry(ChangingRegistry(httpx.ConnectError("refused"))).found("s", "{}")


def sent_by(settings: SchemasSettings) -> httpx.Request:
    client = open_registry(settings)._client
    request = client.build_request("GET", "subjects")
    flow = client._build_request_auth(request).auth_flow(request)
    return next(flow)


def test_name_and_password_or_a_token_are_sent() -> None:
    settings = SchemasSettings(registry_url=URL, user="shop", password="secret")
    assert sent_by(settings).headers["authorization"] == "Basic c2hvcDpzZWNyZXQ="
    assert sent_by(SchemasSettings(registry_url=URL, token="secret")).headers["authorization"] == "Bearer secret"
    assert "authorization" not in sent_by(SchemasSettings(registry_url=URL)).headers


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "ENDCAP_SCHEMAS__REGISTRY_URL: no schema registry is set"),
        ({"registry_url": "registry.test"}, "ENDCAP_SCHEMAS__REGISTRY_URL"),
        ({"registry_url": "ftp://registry.test"}, "ENDCAP_SCHEMAS__REGISTRY_URL"),
        ({"registry_url": "http://a:secret@registry.test"}, "ENDCAP_SCHEMAS__REGISTRY_URL: has a name or a password in it"),
        ({"registry_url": URL, "user": "shop"}, "ENDCAP_SCHEMAS__PASSWORD"),
        ({"registry_url": URL, "password": "secret"}, "ENDCAP_SCHEMAS__USER"),
        ({"registry_url": URL, "user": "shop", "password": "secret", "token": "secret"}, "ENDCAP_SCHEMAS__TOKEN"),
        ({"registry_url": URL, "ca_file": Path("nowhere.pem")}, "ENDCAP_SCHEMAS__CA_FILE"),
    ],
)
def test_settings_that_cannot_be_used_are_named_without_their_secrets(given: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_registry(SchemasSettings.model_validate(given))
    assert str(refused.value).startswith(named)
    assert "secret" not in str(refused.value)


def test_a_certificate_authority_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(InvalidInput, match="ENDCAP_SCHEMAS__CA_FILE"):
        open_registry(SchemasSettings(registry_url=URL, ca_file=file))
