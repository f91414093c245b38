"""A Kubeflow Pipelines API, who asks it, and what its refusals mean."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endcap.core.errors import DependencyUnavailable, EndcapError, InvalidInput

TIMEOUT_S = 60.0
_REFUSALS = {
    401: ("the server asks who you are", "give --token, or --token-file inside the cluster"),
    403: ("the server knows you, but you may not do this", "ask for the role kubeflow-edit in the namespace, and check --namespace"),
    404: ("the server has no such thing", "check that the address is that of the Pipelines API"),
    409: ("the server has one of that name already", "start it again"),
}


@dataclass(frozen=True)
class Server:
    """An API's address and credentials.

    Attributes:
        namespace: of a multi-user server.
        token: bearer token.
        token_file: file with a token that is renewed, such as a projected service account token; read for each request.
        ca_cert: certificate authority of the server; None for the system's own.
    """

    host: str
    namespace: str | None = None
    token: str | None = None
    token_file: Path | None = None
    ca_cert: Path | None = None


@contextlib.contextmanager
def open_api(server: Server) -> Iterator[Any]:
    """A client of the server's API, with errors in the words of the command line.

    Raises:
        DependencyUnavailable: the server does not answer, or not as a Kubeflow Pipelines API.
        InvalidInput: the server refused a request, or credentials cannot be read.
    """
    import kfp_server_api as api

    configuration = api.Configuration(host=_address(server.host))
    configuration.ssl_ca_cert = str(_existing(server.ca_cert, "--ca-cert")) if server.ca_cert else None
    configuration.api_key_prefix["authorization"] = "Bearer"
    if server.token_file:
        token_file = _existing(server.token_file, "--token-file")

        def read_token(config: Any) -> None:
            config.api_key["authorization"] = token_file.read_text(encoding="utf-8").strip()

        configuration.refresh_api_key_hook = read_token
        read_token(configuration)
    elif server.token:
        configuration.api_key["authorization"] = server.token
    with _endcap_errors(server), api.ApiClient(configuration) as client:
        client.call_api = _bounded(client.call_api)
        yield client


def is_multi_user(client: Any, server: Server) -> bool:
    """Whether the server keeps its users apart by namespace.

    Raises:
        InvalidInput: something answers that is not the API, such as the login page before it.
    """
    import kfp_server_api as api

    health, _, headers = api.HealthzServiceApi(client).healthz_service_get_healthz_with_http_info()
    if "json" not in str(headers.get("content-type", "")):
        message = "a page answers, not the API; it may ask for a login"
        raise InvalidInput(message, field="--host", value=server.host, fix="give --token, or the address of the API itself")
    return bool(health.multi_user)


def _bounded(call_api: Callable[..., Any]) -> Callable[..., Any]:
    """Calls that end: the client would wait for a silent server for ever."""

    def call(*args: Any, **options: Any) -> Any:
        return call_api(*args, **{**options, "_request_timeout": options.get("_request_timeout") or TIMEOUT_S})

    return call


def _address(host: str) -> str:
    return (host if "://" in host else f"https://{host}").rstrip("/")


def _existing(path: Path, option: str) -> Path:
    if not path.is_file():
        raise InvalidInput("there is no such file", field=option, value=str(path))
    return path


@contextlib.contextmanager
def _endcap_errors(server: Server) -> Iterator[None]:
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError, SSLError

    try:
        yield
    except EndcapError:
        raise
    except ApiException as error:
        raise _refusal(error, server) from error
    except (HTTPError, OSError) as error:
        cause = getattr(error, "reason", None) or error
        message = f"no Kubeflow Pipelines API answers ({type(cause).__name__})"
        fix = "name its certificate authority: --ca-cert FILE" if isinstance(cause, SSLError) else "check the address"
        raise DependencyUnavailable(message, field="--host", value=server.host, fix=fix) from error


def _refusal(error: Any, server: Server) -> EndcapError:
    if error.status >= 500:
        message = f"the server failed: {error.status} {error.reason}{_said(error)}"
        return DependencyUnavailable(message, field="--host", value=server.host, fix="look at the server's log")
    meaning, fix = _REFUSALS.get(error.status, ("the server refused it", "correct the request"))
    return InvalidInput(f"{meaning}: {error.status} {error.reason}{_said(error)}", field="--host", value=server.host, fix=fix)


def _said(error: Any, limit: int = 300) -> str:
    """The server's own message, which stands in its JSON answer."""
    try:
        document = json.loads(error.body)
    except (TypeError, ValueError):
        return ""
    message = document.get("message") or document.get("error") if isinstance(document, dict) else None
    return f" ({str(message)[:limit]})" if message else ""
