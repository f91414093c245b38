"""The operations of the Kubeflow Pipelines API, as the published client knows them: method, path, query parameters, body."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import kfp_server_api

_CALL = re.compile(r"call_api\(\s*'(?P<path>/apis/v2beta1/[^']*)',\s*'(?P<method>[A-Z]+)'")
_PATH_PARAMETER = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class Operation:
    """One published operation.

    Attributes:
        name: as the client's method is called.
        pattern: matches the path; groups are its parameters.
        query: names of the query parameters it knows.
        body: name of the model in the request's body; None for none.
        required_body: whether a request without one is refused.
        file: name of the multipart field with a file; None for none.
        answer: name of the model in the answer.
    """

    name: str
    method: str
    pattern: re.Pattern[str]
    query: frozenset[str]
    body: str | None
    required_body: bool
    file: str | None
    answer: str


def find_operation(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation of a request and its path's parameters; the most literal path wins."""
    found = [(each, match) for each in operations() if each.method == method and (match := each.pattern.fullmatch(path))]
    if not found:
        return None
    operation, match = min(found, key=lambda pair: pair[0].pattern.groups)
    return operation, match.groupdict()


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of every part of the published client."""
    return tuple(_all_operations())


def _all_operations() -> Iterator[Operation]:
    for name in dir(kfp_server_api):
        if name.endswith("Api"):
            api = getattr(kfp_server_api, name)
            for method in dir(api):
                if method.endswith("_with_http_info"):
                    operation = _operation(method.removesuffix("_with_http_info"), inspect.getsource(getattr(api, method)))
                    if operation is not None:
                        yield operation


def _operation(name: str, source: str) -> Operation | None:
    call = _CALL.search(source)
    if call is None:
        return None
    body = re.search(r"body_params = local_var_params\['(\w+)'\]", source)
    model = re.search(rf":type {body[1]}: ([\w()]+)", source) if body else None
    file = re.search(r"local_var_files\['(\w+)'\]", source)
    answer = re.search(r"response_type='([^']*)'", source)
    return Operation(
        name=name,
        method=call["method"],
        pattern=re.compile(_PATH_PARAMETER.sub(lambda found: f"(?P<{found[1].replace('.', '_')}>[^/]+)", call["path"])),
        query=frozenset(re.findall(r"query_params\.append\(\('([\w.]+)'", source)),
        body=model[1] if model else None,
        required_body=bool(body and f"Missing the required parameter `{body[1]}`" in source),
        file=file[1] if file else None,
        answer=answer[1] if answer else "object",
    )


def published_answer(model: str, **fields: Any) -> Any:
    """A document of one of the published models, as JSON has it; a field that the model lacks raises."""
    with kfp_server_api.ApiClient() as client:
        return client.sanitize_for_serialization(getattr(kfp_server_api, model)(**fields))
