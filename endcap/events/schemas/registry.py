"""A schema registry that speaks Confluent's API."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from endcap.core.errors import DependencyUnavailable, InvalidInput, SchemaIncompatible
from endcap.core.settings import SchemasSettings

MODE = "BACKWARD_TRANSITIVE"
"""New schemas read what was written by any earlier one."""

_URL = "ENDCAP_SCHEMAS__REGISTRY_URL"
_MEDIA = "application/vnd.schemaregistry.v1+json"
_JSON = "JSON"
_SUBJECT_UNKNOWN, _VERSION_UNKNOWN, _SCHEMA_UNKNOWN = 40_401, 40_402, 40_403
_NOT_THERE = frozenset({_SUBJECT_UNKNOWN, _VERSION_UNKNOWN, _SCHEMA_UNKNOWN})
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _UNPROCESSABLE = 401, 403, 404, 409, 422


@dataclass(frozen=True, slots=True)
class Registered:
    """A schema as a registry has it.

    Attributes:
        id: what frames name it by.
        version: its number within the subject.
    """

    id: int
    version: int


class SchemaRegistry:
    """What endcap asks a schema registry; each call is one request.

    Every method raises `DependencyUnavailable` when the registry does not answer, does not let the caller in, or answers otherwise than
    Confluent's API says.

    Args:
        client: its base address is that of Confluent's API.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @property
    def url(self) -> str:
        """Its address."""
        return str(self._client.base_url)

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def found(self, subject: str, schema: str) -> Registered | None:
        """A schema under its subject; None where it is not registered there.

        Args:
            subject: for example `endcap.events.v1-value`.
            schema: JSON Schema as text.
        """
        answer = self._answer("POST", f"subjects/{quote(subject, safe='')}", _described(schema))
        if answer is None:
            return None
        return Registered(_number(answer, "id"), _number(answer, "version"))

    def register(self, subject: str, schema: str) -> Registered:
        """Register a schema under its subject; one that is there stays as it is.

        Raises:
            SchemaIncompatible: the registry refuses it for what it has already.
        """
        path = f"subjects/{quote(subject, safe='')}"
        if self._answer("POST", f"{path}/versions", _described(schema), subject) is None:
            raise self._strange("no such address")
        registered = self.found(subject, schema)
        if registered is None:
            raise self._strange("a schema that was registered is not there")
        return registered

    def set_mode(self, subject: str, mode: str = MODE) -> bool:
        """Have the registry judge new schemas of a subject so; False where it takes that only for subjects that have a schema."""
        return self._answer("PUT", f"config/{quote(subject, safe='')}", {"compatibility": mode}) is not None

    def objections(self, subject: str, schema: str) -> Sequence[str] | None:
        """What the registry has against a schema beside all that the subject has; None where it has none of the subject's."""
        answer = self._answer("POST", f"compatibility/subjects/{quote(subject, safe='')}/versions?verbose=true", _described(schema))
        if answer is None:
            return None
        if answer.get("is_compatible") is True:
            return ()
        return tuple(map(str, answer.get("messages") or ["incompatible"]))

    def schema_of(self, schema_id: int) -> str | None:
        """The schema with an id, as it was registered; None where there is none."""
        answer = self._answer("GET", f"schemas/ids/{schema_id}")
        return None if answer is None else str(answer.get("schema"))

    def _answer(self, method: str, path: str, content: Mapping[str, Any] | None = None, subject: str = "") -> Mapping[str, Any] | None:
        """The answer; None where what was asked for is not there."""
        try:
            response = self._client.request(method, path, json=content, headers={"content-type": _MEDIA})
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise DependencyUnavailable(
                f"the schema registry does not answer: {why}", field=_URL, value=self.url, fix="look at the registry"
            ) from error
        if response.is_success:
            return self._document(response)
        match response.status_code:
            case code if code == _NOT_FOUND and self._document(response).get("error_code") in _NOT_THERE:
                return None
            case code if code in (_CONFLICT, _UNPROCESSABLE):
                raise SchemaIncompatible(
                    f"the schema registry refuses the schema: {self._document(response).get('message', code)}",
                    field=subject or path,
                    fix="see `endcap schemas check --registry`",
                )
            case code if code in (_UNAUTHORIZED, _FORBIDDEN):
                raise self._strange(f"status {code}", "correct ENDCAP_SCHEMAS__USER and ENDCAP_SCHEMAS__PASSWORD, or ENDCAP_SCHEMAS__TOKEN")
            case code:
                raise self._strange(f"status {code}")

    def _document(self, response: httpx.Response) -> Mapping[str, Any]:
        try:
            document = response.json()
        except ValueError as error:
            raise self._strange(f"status {response.status_code} without JSON") from error
        return document if isinstance(document, dict) else {}

    def _strange(self, what: str, fix: str = "name the address of its Confluent API") -> DependencyUnavailable:
        return DependencyUnavailable(f"the schema registry answers: {what}", field=_URL, value=self.url, fix=fix)


def open_registry(settings: SchemasSettings) -> SchemaRegistry:
    """The registry that the settings name; it need not answer yet.

    Raises:
        InvalidInput: none is named, or the settings contradict each other.
    """
    if not settings.registry_url:
        raise InvalidInput("no schema registry is set", field=_URL, fix="set it to the address of its Confluent API")
    try:
        url = httpx.URL(settings.registry_url)
    except httpx.InvalidURL as error:
        raise InvalidInput(f"is no address: {error}", field=_URL, fix="for example https://registry.example/apis/ccompat/v7") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidInput("is no address of http or https", field=_URL, fix="for example https://registry.example/apis/ccompat/v7")
    if url.userinfo:
        raise InvalidInput("has a name or a password in it", field=_URL, fix="set ENDCAP_SCHEMAS__USER and ENDCAP_SCHEMAS__PASSWORD")
    headers = {"authorization": f"Bearer {settings.token.get_secret_value()}"} if settings.token else {}
    client = httpx.Client(base_url=url, auth=_login(settings), headers=headers, verify=_trusted(settings), timeout=settings.timeout_seconds)
    return SchemaRegistry(client)


def _login(settings: SchemasSettings) -> tuple[str, str] | None:
    if settings.user is None and settings.password is None:
        return None
    if settings.token is not None:
        raise InvalidInput("is set beside a name or a password", field="ENDCAP_SCHEMAS__TOKEN", fix="unset the one or the other")
    if settings.user is None or settings.password is None:
        missing = "USER" if settings.user is None else "PASSWORD"
        raise InvalidInput("is not set, though its other half is", field=f"ENDCAP_SCHEMAS__{missing}", fix="set both")
    return settings.user, settings.password.get_secret_value()


def _trusted(settings: SchemasSettings) -> ssl.SSLContext | bool:
    if settings.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        fix = "name a readable file of certificates"
        raise InvalidInput(f"cannot be read ({error})", field="ENDCAP_SCHEMAS__CA_FILE", value=str(settings.ca_file), fix=fix) from error


def _described(schema: str) -> Mapping[str, Any]:
    return {"schema": schema, "schemaType": _JSON}


def _number(answer: Mapping[str, Any], name: str) -> int:
    value = answer.get(name)
    if not isinstance(value, int):
        fix = "name the address of its Confluent API"
        raise DependencyUnavailable(f"the schema registry gives no {name}", field=_URL, value=value, fix=fix)
    return value
