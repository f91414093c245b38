"""JSON documents held against the published models of the Kubeflow Pipelines API; the client itself ignores what it does not know."""

import re
from datetime import datetime
from typing import Any

import kfp_server_api

_LIST, _MAP = re.compile(r"list\[(.+)\]"), re.compile(r"dict\(str, (.+)\)")
_PLAIN: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "bool": (bool,), "float": (int, float)}


class Refused(Exception):
    """The document does not fit; the message says where."""


def check_document(document: Any, model: str, where: str = "body") -> None:
    """Hold a document against a model: no unknown field, every value of its type, whatever the model's own setters demand.

    Raises:
        Refused: it does not fit.
    """
    if model == "object":
        return
    if found := _LIST.fullmatch(model):
        _require(isinstance(document, list), where, "a list", document)
        for number, value in enumerate(document):
            check_document(value, found[1], f"{where}[{number}]")
    elif found := _MAP.fullmatch(model):
        _require(isinstance(document, dict), where, "a map", document)
        for key, value in document.items():
            check_document(value, found[1], f"{where}.{key}")
    elif model in _PLAIN:
        _require(isinstance(document, _PLAIN[model]) and (model == "bool") == isinstance(document, bool), where, model, document)
    elif model == "datetime":
        _require(isinstance(document, str), where, "a time", document)
        _require(_is_time(document), where, "a time", document)
    else:
        _check_model(document, getattr(kfp_server_api, model), where)


def _check_model(document: Any, model: Any, where: str) -> None:
    if not model.openapi_types:
        _require(document in model.allowable_values, where, f"one of {model.allowable_values}", document)
        return
    _require(isinstance(document, dict), where, model.__name__, document)
    fields = {model.attribute_map[name]: (name, kind) for name, kind in model.openapi_types.items()}
    unknown = set(document) - set(fields)
    if unknown:
        raise Refused(f"{where}: {model.__name__} has no field {sorted(unknown)}")
    for key, value in document.items():
        check_document(value, fields[key][1], f"{where}.{key}")
    try:
        model(**{fields[key][0]: value for key, value in document.items()})
    except (ValueError, TypeError) as error:
        raise Refused(f"{where}: {error}") from error


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _require(fits: bool, where: str, wanted: str, document: Any) -> None:
    if not fits:
        raise Refused(f"{where}: must be {wanted}, not {document!r}")
