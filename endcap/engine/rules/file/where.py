"""`where` of a rule: one SQL condition, read by polars, that can do nothing but look at the columns of one row."""

import difflib
import re

import polars as pl
from polars.exceptions import PanicException, PolarsError

from endcap.core.errors import InvalidInput
from endcap.engine.rules.conditions.columns import SCHEMA

KEYWORDS = re.compile(r"and|or|not|xor|in|like|ilike|rlike|regexp|between|is|null|true|false|case|when|then|else|end", re.IGNORECASE)
OPERATIONS_MAX = 300
"""Columns, functions, keywords and signs of one condition: polars' planning time grows with their square."""
FUNCTIONS: tuple[str, ...] = (
    *("abs", "ceil", "ceiling", "floor", "round", "sign", "sqrt", "ln", "log10", "exp", "power", "pow", "mod", "greatest", "least"),
    *("coalesce", "nullif", "ifnull", "if"),
    *("lower", "upper", "length", "char_length", "trim", "ltrim", "rtrim", "left", "right", "substr", "concat"),
    *("starts_with", "ends_with", "strpos", "regexp_like"),
)
"""Functions of one row's values. What reads other rows, files, tables, the clock or chance is not among them."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<text>'(?:[^']|'')*')
    | "(?P<quoted>[^"]+)"
    | (?P<comment>--|/\*)
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![A-Za-z_]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*+)(?!')(?P<call>\s*\()?
    | (?P<sign><=|>=|<>|!=|!~\*|~\*|!~|\|\||[=<>+\-*/%(),~])""",
    re.VERBOSE,
)


class WhereReader:
    """Reads conditions against the columns that rules may use."""

    def __init__(self) -> None:
        self._probe = _probe()

    def read(self, text: str, place: str) -> pl.Expr:
        """One condition as a polars expression.

        Args:
            text: the SQL.
            place: how messages name it.

        Raises:
            InvalidInput: it does not parse, is not yes or no for each row, or names what it may not.
        """
        _refuse_foreign_words(text, place)
        try:
            expression = pl.sql_expr(text)
            answer = self._probe.lazy().select(expression.alias("answer")).collect()["answer"]
        except (PolarsError, PanicException) as error:
            raise InvalidInput(
                f"no valid SQL condition: {_first_line(error)}", field=place, value=text, fix="correct the condition"
            ) from None
        if not expression.meta.root_names():
            raise InvalidInput("reads no column", field=place, value=text, fix="leave `where` out where the rule is for all items")
        if answer.dtype != pl.Boolean:
            raise InvalidInput(
                f"must be true or false for an item, it is {str(answer.dtype).lower()}",
                field=place,
                value=text,
                fix="compare it with a value",
            )
        return expression


def _refuse_foreign_words(text: str, place: str) -> None:
    """Let pass known columns, functions of one row and the words between them; so no query, table or aggregate gets as far as polars."""
    at, operations = 0, 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token["comment"]:
            found = text[at : at + 20]
            raise InvalidInput(
                "cannot be read from here on", field=place, value=found, fix="write one SQL condition, comments as YAML's own"
            )
        if token["quoted"] is not None and token["quoted"] not in SCHEMA:
            raise unknown_column(token["quoted"], place)
        if token["word"] is not None and not KEYWORDS.fullmatch(token["word"]):
            _refuse_foreign_word(token["word"], is_call=token["call"] is not None, place=place)
        operations += token["word"] is not None or (token["sign"] or ",") not in ",()"
        at = token.end()
    if operations > OPERATIONS_MAX:
        raise InvalidInput(
            "too long", field=place, value=f"{operations} words and signs", fix=f"at most {OPERATIONS_MAX}; `in (...)` counts once"
        )


def _refuse_foreign_word(word: str, *, is_call: bool, place: str) -> None:
    if is_call and word.lower() not in FUNCTIONS:
        raise InvalidInput("not a function that rules may use", field=place, value=word, fix=f"functions: {', '.join(FUNCTIONS)}")
    if not is_call and word not in SCHEMA:
        raise unknown_column(word, place)


def unknown_column(name: str, place: str) -> InvalidInput:
    """The error of a name that is no column."""
    close = difflib.get_close_matches(name.lower(), SCHEMA, n=1)
    fix = f"did you mean `{close[0]}`?" if close else "docs/rules.md lists the columns; text stands in 'single quotes'"
    return InvalidInput("unknown column", field=place, value=name, fix=fix)


def _probe() -> pl.DataFrame:
    """Every column with a value and without one, to see what a condition makes of it."""
    values = {pl.String: ["a", None], pl.Boolean: [True, None]}
    return pl.DataFrame(
        {name: values.get(type(dtype), [1, None]) for name, dtype in SCHEMA.items()},
        schema=dict(SCHEMA),
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:160]
