"""One SQL condition that people write, read by polars; it can do nothing but look at the columns of one row."""

import difflib
import re
from collections.abc import Iterable, Mapping

import polars as pl
from polars.exceptions import PanicException, PolarsError

from endcap.core.errors import InvalidInput

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


class ConditionReader:
    """Reads conditions against known columns.

    Args:
        schema: the columns that a condition may read, with their types.
        columns_page: where messages send the author who looks for a column.
    """

    def __init__(self, schema: Mapping[str, pl.DataType], columns_page: str) -> None:
        self._schema = schema
        self._page = columns_page
        self._probe = _probe(schema)

    def read(self, text: str, place: str) -> pl.Expr:
        """One condition as a polars expression.

        Args:
            text: the SQL.
            place: how messages name it.

        Raises:
            InvalidInput: it does not parse, is not yes or no for each row, or names what it may not.
        """
        self._refuse_foreign_words(text, place)
        try:
            expression = pl.sql_expr(self._with_quoted_columns(text, place))
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

    def _with_quoted_columns(self, text: str, place: str) -> str:
        """The condition with quotes around its columns, so that one may be called `order`."""
        return "".join(
            f'"{token["word"]}"' if self._is_column(token["word"], is_call=token["call"] is not None) else token.group()
            for token in tokens(text, place)
        )

    def _is_column(self, word: str | None, *, is_call: bool) -> bool:
        return word is not None and not is_call and word in self._schema and not KEYWORDS.fullmatch(word)

    def _refuse_foreign_words(self, text: str, place: str) -> None:
        """Let pass known columns, functions of one row and the words between them; so no query or aggregate gets as far as polars."""
        operations = 0
        for token in tokens(text, place):
            if token["quoted"] is not None and token["quoted"] not in self._schema:
                raise unknown_column(token["quoted"], place, self._schema, self._page)
            if token["word"] is not None and not KEYWORDS.fullmatch(token["word"]):
                self._refuse_foreign_word(token["word"], is_call=token["call"] is not None, place=place)
            operations += token["word"] is not None or (token["sign"] or ",") not in ",()"
        if operations > OPERATIONS_MAX:
            raise InvalidInput(
                "too long", field=place, value=f"{operations} words and signs", fix=f"at most {OPERATIONS_MAX}; `in (...)` counts once"
            )

    def _refuse_foreign_word(self, word: str, *, is_call: bool, place: str) -> None:
        if is_call and word.lower() not in FUNCTIONS:
            raise InvalidInput("not a function that conditions may use", field=place, value=word, fix=f"functions: {', '.join(FUNCTIONS)}")
        if not is_call and word not in self._schema:
            raise unknown_column(word, place, self._schema, self._page)


def tokens(text: str, place: str) -> Iterable[re.Match[str]]:
    """The words and signs of a condition.

    Raises:
        InvalidInput: at what is no part of a condition.
    """
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token["comment"]:
            found = text[at : at + 20]
            raise InvalidInput(
                "cannot be read from here on", field=place, value=found, fix="write one SQL condition, comments as YAML's own"
            )
        yield token
        at = token.end()


def unknown_column(name: str, place: str, known: Iterable[str], columns_page: str) -> InvalidInput:
    """The error of a name that is no column."""
    names = {column.lower(): column for column in known}
    close = difflib.get_close_matches(name.lower(), names, n=1)
    fix = f"did you mean `{names[close[0]]}`?" if close else f"{columns_page} lists the columns; text stands in 'single quotes'"
    return InvalidInput("unknown column", field=place, value=name, fix=fix)


def _probe(schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Every column with a value and without one, to see what a condition makes of it."""
    values = {pl.String: ["a", None], pl.Boolean: [True, None]}
    return pl.DataFrame({name: values.get(type(dtype), [1, None]) for name, dtype in schema.items()}, schema=dict(schema))


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:160]
