"""What a person reads of an explained list."""

from io import StringIO

from rich.console import Console

from endcap.contracts.answer import Answer, Recommendation
from endcap.demo.explained import TRIES, ask_until_explored, print_explained


def item(position: int, explored: bool) -> Recommendation:
    explanation = {
        "sources": {"two_tower": 0.91, "buy_again": 0.5},
        "objectives": {"buy": 0.25},
        "score": {"fused": 0.03, "value": 0.25, "after_rules": 0.325},
        "rules": {"touched": ["fresh-first"], "factor": 1.3},
        "diversity": {"penalty": 0.04, "relevance": 0.9},
        "exploration": {"explored": explored, "propensity": 0.1, "policy": "thompson"},
        "place": "explored" if explored else "ranked",
    }
    return Recommendation(
        item_id=f"i{position}",
        score=0.3,
        source="two_tower",
        reason="Popular",
        position=position,
        title=f"Item {position}",
        propensity=0.1,
        explanation=explanation,
    )


def answer(*explored: bool) -> Answer:
    items = [item(position, each) for position, each in enumerate(explored, start=1)]
    return Answer(recommendations=items, request_id="r", bundle="b", variant="default", degraded=[], ignored=[], timings_ms={})


def test_asks_until_a_place_explores() -> None:
    answers = iter([answer(False, False), answer(False, True), answer(True, True)])
    found, asked = ask_until_explored(lambda _: next(answers), {})
    assert asked == 2
    assert found.recommendations[1].explanation["exploration"]["explored"]


def test_gives_up_after_a_while() -> None:
    assert ask_until_explored(lambda _: answer(False), {})[1] == TRIES


def test_every_part_of_an_explanation_is_printed() -> None:
    made = answer(False, True)
    filled = made.recommendations[0].model_copy(update={"position": 3, "explanation": {"last_resort": "no candidate was left"}})
    out = StringIO()
    print_explained(Console(file=out, width=200), "A list", made.model_copy(update={"recommendations": [*made.recommendations, filled]}))
    text = out.getvalue()
    for part in (
        *("two tower 0.91", "buy again 0.50", "buy 0.250", "value 0.325", "rules fresh-first x1.3", "likeness 0.040"),
        *("ranked, p 0.1", "explored (thompson), p 0.1", "filled up, no candidate was left"),
    ):
        assert part in text, part


def test_what_was_left_out_for_an_item_of_its_family_is_printed() -> None:
    made = answer(False)
    first = made.recommendations[0]
    family = {"family_id": "milk", "left_out": ["milk-2l", "milk-[x]"]}
    told = first.model_copy(update={"explanation": {**(first.explanation or {}), "family": family}})
    out = StringIO()
    print_explained(Console(file=out, width=200), "A list", made.model_copy(update={"recommendations": [told]}))
    assert "in place of milk-2l, milk-[x] of its family" in " ".join(out.getvalue().split())
