"""The merchandisers' rule file: its contract, and reading it with messages that name the rule, the line and the fix."""

import difflib
import hashlib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr, ValidationError, WithJsonSchema, model_validator
from pydantic_core import ErrorDetails

from endcap.core.errors import InvalidInput
from endcap.core.yaml_document import YamlDocument, read_yaml
from endcap.engine.rules.file.when import STRICT, When


def first_refusal(error: ValidationError, document: YamlDocument, name: str, model: type[BaseModel]) -> InvalidInput:
    """The first fault of a document as an error; how many more there are stands in the message.

    Args:
        error: what the contract said.
        document: what was read.
        name: what the file is called.
        model: the contract of the whole document.
    """
    faults = error.errors(include_url=False)
    fault = min(faults, key=lambda fault: (document.line(fault["loc"]) or 0, fault["type"] != "extra_forbidden"))
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return InvalidInput(
        _message(fault) + more,
        field=_place(fault["loc"], document, name),
        value=fault["input"] if isinstance(fault["input"], str | int | float) else None,
        fix=_fix(fault, model),
    )


def _message(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown key"
    if fault["type"] == "missing":
        return "is missing"
    return fault["msg"].removeprefix("Value error, ")


def _place(loc: tuple[str | int, ...], document: YamlDocument, name: str) -> str:
    line = document.line(loc)
    where = f"{name}, line {line}" if line else name
    entry, rest = (_entry_name(loc, document.value), loc[2:]) if len(loc) > 1 and isinstance(loc[1], int) else ("", loc)
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest).lstrip(".")
    return ", ".join(part for part in (where, entry, field) if part)


def _entry_name(loc: tuple[str | int, ...], value: Any) -> str:
    kind = "rule" if loc[0] == "rules" else "picks"
    entry = value[loc[0]][loc[1]]
    named = entry.get("id") if isinstance(entry, dict) else None
    return f"{kind} {named[:64]}" if isinstance(named, str) else f"{kind} number {int(loc[1]) + 1}"


def _fix(fault: ErrorDetails, model: type[BaseModel]) -> str | None:
    parts = [part for part in fault["loc"] if isinstance(part, str)]
    parent = _model_at(parts[:-1], model) if parts else None
    if parent is None:
        return "see docs/rules.md"
    keys = {field.alias or name: field for name, field in parent.model_fields.items()}
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(parts[-1], keys, n=1)
        return f"did you mean `{close[0]}`?" if close else f"known keys: {', '.join(keys)}"
    if fault["type"] == "value_error" or parts[-1] not in keys:
        return "see docs/rules.md"
    return keys[parts[-1]].description


def _model_at(parts: list[str], model: type[BaseModel]) -> type[BaseModel] | None:
    for part in parts:
        field = next((field for name, field in model.model_fields.items() if part in (name, field.alias)), None)
        inner = _model_in(field.annotation) if field is not None else None
        if inner is None:
            return None
        model = inner
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _model_in(argument)) is not None), None)


POSITION_MAX = 500
ACTIONS = ("exclude", "boost", "bury", "pin", "cap", "minimum_share", "reserve")
NEEDS_WHERE = ("exclude", "pin", "minimum_share", "reserve")

RuleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Position = Annotated[int, Field(ge=1, le=POSITION_MAX)]
ItemId = Annotated[
    str,
    Field(min_length=1, max_length=128),
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    WithJsonSchema({"type": ["string", "integer"]}),
]


def _or_none(value: object) -> object:
    """A key whose entries are all commented out has no value, and means none."""
    return [] if value is None else value


class Boost(BaseModel):
    """Raises the score of the items."""

    model_config = STRICT

    factor: float = Field(gt=1, le=1000, allow_inf_nan=False, description="What the score is multiplied by, above 1.")


class Bury(BaseModel):
    """Lowers the score of the items."""

    model_config = STRICT

    factor: float = Field(gt=0, lt=1, allow_inf_nan=False, description="What the score is multiplied by, between 0 and 1.")


class PinTo(BaseModel):
    """Puts the best of the items at a place."""

    model_config = STRICT

    position: Position = Field(description="Place in the list, from 1.")


class CapPer(BaseModel):
    """Bounds how many items of one group a list shows."""

    model_config = STRICT

    most: int = Field(ge=1, le=POSITION_MAX, description="Most items of one group; to show none, use `exclude`.")
    by: str = Field(description="The column whose equal values make a group: `brand`, `category`, `category_1`, or any other.")
    within: Position | None = Field(None, description="Count among the first so many places; the whole list when left out.")


class ShareOf(BaseModel):
    """Gives the items at least a part of the list."""

    model_config = STRICT

    share: float = Field(gt=0, le=1, allow_inf_nan=False, description="Part of the list, 0.2 for 20 %, rounded up to whole items.")


class ReserveFor(BaseModel):
    """Keeps places for the items."""

    model_config = STRICT

    positions: list[Position] = Field(min_length=1, max_length=50, description="Places in the list, from 1.")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.positions)) < len(self.positions):
            raise ValueError("a position stands twice in `positions`")
        return self


class Rule(BaseModel):
    """One rule: the requests it is for, the items it is about, and one action."""

    model_config = {**STRICT, "json_schema_extra": {"oneOf": [{"required": [action]} for action in ACTIONS]}}

    id: RuleId = Field(description="Unique name; explanations and metrics show it. Letters, digits, `-`, `_` and `.`.")
    description: str | None = Field(None, max_length=1000, description="For the next reader.")
    enabled: bool = Field(True, description="Whether the rule counts.")
    when: When = Field(default_factory=When, description="The requests; all when left out.")
    where: str | None = Field(
        None, min_length=1, max_length=20_000, description="The items: a SQL condition over the columns; all when left out."
    )
    exclude: Literal[True] | None = Field(None, description="`true`: never shown.")
    boost: Boost | None = Field(None, description="Scores are multiplied by `factor`, above 1.")
    bury: Bury | None = Field(None, description="Scores are multiplied by `factor`, below 1.")
    pin: PinTo | None = Field(None, description="The best of the items stands at `position`.")
    cap: CapPer | None = Field(None, description="At most `most` items of each group `by` a column.")
    minimum_share: ShareOf | None = Field(None, description="At least `share` of the list are such items, as far as there are any.")
    reserve: ReserveFor | None = Field(None, description="`positions` are for such items, as far as there are any.")

    @property
    def action(self) -> str:
        return next(name for name in ACTIONS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        given = [name for name in ACTIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one action of {', '.join(ACTIONS)}; it has {', '.join(given) or 'none'}")
        if given[0] in NEEDS_WHERE and self.where is None:
            raise ValueError(f"`{given[0]}` needs a `where`: it would mean every item")
        return self


class PickList(BaseModel):
    """Items an editor chose, in their order; they become candidates of the source `picks`."""

    model_config = STRICT

    id: RuleId = Field(description="Unique name, among the rules' too.")
    description: str | None = Field(None, max_length=1000, description="For the next reader.")
    enabled: bool = Field(True, description="Whether the list counts.")
    when: When = Field(default_factory=When, description="The requests; all when left out.")
    items: list[ItemId] = Field(min_length=1, max_length=POSITION_MAX, description="Item ids, the best first.")


class RuleFile(BaseModel):
    """A whole file. Its order counts: of two rules of one kind that conflict, the earlier wins."""

    model_config = {**STRICT, "title": "endcap rules"}

    version: Literal[1] = Field(description="Version of this format.")
    revision: str | int = Field("", description="The author's own mark, for example a date or a number; answers and metrics show it.")
    rules: Annotated[list[Rule], BeforeValidator(_or_none)] = Field(default_factory=list, max_length=1000, description="The rules.")
    picks: Annotated[list[PickList], BeforeValidator(_or_none)] = Field(default_factory=list, max_length=200, description="Editor's picks.")
    _lines: dict[str, int] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _ids_stand_once(self) -> Self:
        twice = [
            name for name, count in Counter([rule.id for rule in self.rules] + [picks.id for picks in self.picks]).items() if count > 1
        ]
        if twice:
            raise ValueError(f"the id {twice[0]!r} stands twice; every rule and every list of picks needs its own")
        if len(str(self.revision)) > 100 or not str(self.revision).isprintable():
            raise ValueError("`revision` must be at most 100 printable characters")
        return self

    @property
    def name(self) -> str:
        """The revision with a short hash of the content: what answers and metrics call the rules; `none` where there are none."""
        if not self.rules and not self.picks:
            return "none"
        digest = hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()[:8]
        return f"{self.revision}-{digest}" if str(self.revision) else digest

    def place(self, rule_id: str) -> str:
        """How messages name a rule: with its line when it was read from text."""
        line = self._lines.get(rule_id)
        return f"rule {rule_id}" + (f" (line {line})" if line else "")


NO_RULES = RuleFile(version=1)


def parse_rules(text: str, name: str = "rules") -> RuleFile:
    """Read rules from YAML.

    Args:
        text: the file's content.
        name: what error messages call it.

    Raises:
        InvalidInput: no YAML, or not what the contract asks for; the message names the rule, the line, the value and the fix.
    """
    document = read_yaml(text, name)
    if not isinstance(document.value, dict):
        raise InvalidInput("must hold the keys version, revision, rules and picks", field=name, fix="see docs/rules.md")
    try:
        file = RuleFile.model_validate(document.value)
    except ValidationError as error:
        raise first_refusal(error, document, name, RuleFile) from None
    for key, ids in (("rules", [rule.id for rule in file.rules]), ("picks", [picks.id for picks in file.picks])):
        file._lines.update({name: document.line((key, place)) or 0 for place, name in enumerate(ids)})
    return file


def read_rules(path: Path) -> RuleFile:
    """Read a rule file.

    Raises:
        InvalidInput: as `parse_rules`, or the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot be read: {error}", field=str(path), fix="name a YAML file in UTF-8") from None
    return parse_rules(text, path.name)
