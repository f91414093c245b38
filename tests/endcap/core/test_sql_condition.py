"""Conditions: what may be written, and that nothing else reaches polars."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.core.sql_condition import FUNCTIONS, ConditionReader
from endcap.engine.rules.conditions.columns import SCHEMA
from tests.properties import examples

CALLS = {
    **dict.fromkeys(["abs", "ceil", "ceiling", "floor", "round", "sign", "sqrt", "ln", "log10", "exp"], "{}(price) > 1"),
    **dict.fromkeys(["power", "pow", "mod", "greatest", "least", "coalesce", "nullif", "ifnull"], "{}(price, 2) > 1"),
    "if": "if(available, price, 1) > 1",
    **dict.fromkeys(["lower", "upper", "trim", "ltrim", "rtrim"], "{}(brand) = 'a'"),
    **dict.fromkeys(["length", "char_length"], "{}(brand) > 1"),
    **dict.fromkeys(["left", "right"], "{}(brand, 1) = 'a'"),
    "substr": "substr(brand, 1, 2) = 'a'",
    "concat": "concat(brand, title) = 'ab'",
    **dict.fromkeys(["starts_with", "ends_with", "regexp_like"], "{}(brand, 'a')"),
    "strpos": "strpos(brand, 'a') = 1",
}


@pytest.fixture(scope="module")
def reader() -> ConditionReader:
    return ConditionReader(SCHEMA, "docs/rules.md")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_on_the_list_works(reader: ConditionReader, name: str) -> None:
    assert reader.read(CALLS[name].format(name), "w").meta.root_names()


@pytest.mark.parametrize(
    "text",
    [
        "brand = 'Own 1' and (price < 3 or not available)",
        "title ilike '%select from%' and title not like '%--%'",
        "brand in ('a', 'it''s') or category is null",
        "price between 1 and 2.5e1",
        "case when price > 1 then true else false end",
        "\"brand\" <> 'x'",
        "NOT bought_before AND source = 'popular'",
        "title ~ '^T\\d+' and brand !~* 'x'",
        "available",
        "item_id in (" + ", ".join(f"'{number}'" for number in range(1000)) + ")",
        "price" + " + 1" * 290 + " > 1",
    ],
)
def test_conditions_on_one_row_are_read(reader: ConditionReader, text: str) -> None:
    assert set(reader.read(text, "w").meta.root_names()) <= set(SCHEMA)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("brnd = 'x'", "did you mean `brand`?"),
        ("Brand = 'x'", "did you mean `brand`?"),
        ('brand = "Own 1"', "single quotes"),
        ("price", "must be true or false"),
        ("brand", "must be true or false"),
        ("1 = 1", "reads no column"),
        ("true", "reads no column"),
        ("", "no valid SQL"),
        ("price >", "no valid SQL"),
        ("brand > 3", "no valid SQL"),
        ("brand in (1, 2)", "no valid SQL"),
        ("regexp_like(brand, '(')", "no valid SQL"),
        ("price > 1; drop table x", "cannot be read from here on"),
        ("price > 1 -- and more", "cannot be read from here on"),
        ("price > /* x */ 1", "cannot be read from here on"),
        ("price::int > 1", "cannot be read from here on"),
        ("brand = E'\\'' or (select 1) = 1 or brand = ''", "cannot be read from here on"),
        ("brand = $$x$$", "cannot be read from here on"),
        ("count(*) > 1", "not a function"),
        ("price > avg(price)", "not a function"),
        ("row_number() over (order by price) < 3", "not a function"),
        ("price > (select 1)", "unknown column"),
        ("price > (values (1))", "not a function"),
        ("price in (from read_csv('x.csv'))", "unknown column"),
        ("exists (select 1)", "not a function"),
        ("current_date > '2020-01-01' and available", "unknown column"),
        ("now() > 1", "not a function"),
        ("random() > 0.5", "not a function"),
        ("unnest(title) = 'x'", "not a function"),
        ("cast(title as int) > 1", "not a function"),
        ("price > :limit", "cannot be read from here on"),
        ("price " + "+ 1 " * 3000 + "> 1", "too long; got '3002 words and signs'"),
        ("(" * 2000 + "available" + ")" * 2000, "no valid SQL"),
    ],
)
def test_anything_else_is_refused_with_the_rule_and_a_fix(reader: ConditionReader, text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        reader.read(text, "rule x (line 3): where")
    assert message in str(refused.value) and "rule x (line 3): where" in str(refused.value)
    assert refused.value.fix


def test_no_file_is_opened(reader: ConditionReader, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("price\n1\n")
    for query in ("price in (select price from read_csv('{}'))", "price in (select price from '{}')", 'price = (table "{}")'):
        with pytest.raises(InvalidInput):
            reader.read(query.format(secret), "w")


OPERANDS = st.sampled_from(["price", "brand", "available", "score", "'a'", "1", "null", "true", "lower", "abs", "coalesce", "case", "if"])
OPERATORS = st.sampled_from(
    ["and", "or", "not", "(", ")", "=", ">", "in", "like", "is", "between", ",", "-", "/", "%", "when", "then", "end", "~"]
)


@examples(60)
@given(text=st.lists(OPERANDS | OPERATORS, max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused(reader: ConditionReader, text: str) -> None:
    try:
        reader.read(text, "w")
    except InvalidInput as refused:
        assert refused.message
