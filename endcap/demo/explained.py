"""One list explained: where each item came from, what it scored, and what rules, diversity and exploration did with it."""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from endcap.contracts.answer import Answer, Recommendation

TRIES = 20


def ask_until_explored(ask: Callable[[dict[str, Any]], Answer], instance: dict[str, Any]) -> tuple[Answer, int]:
    """The first answer in which a place explores, and how many were asked for; the last answer when none did.

    Args:
        ask: sends one instance and waits for its answer.
        instance: what to ask, with `explain`.
    """
    for number in range(1, TRIES + 1):
        answer = ask(instance)
        if any(_explored(item) for item in answer.recommendations):
            return answer, number
    return answer, TRIES


def print_explained(console: Console, introduction: str, answer: Answer) -> None:
    """Print one explained list the way a person reads it."""
    table = Table(title=introduction, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("item", overflow="fold")
    table.add_column("sources and their scores", overflow="fold")
    table.add_column("buy", justify="right")
    table.add_column("value", justify="right")
    table.add_column("rules", overflow="fold")
    table.add_column("likeness", justify="right")
    table.add_column("place")
    for item in answer.recommendations:
        table.add_row(str(item.position), item.title, *_cells(item))
    console.print()
    console.print(table)
    console.print(
        "buy: calibrated probability of a purchase within four weeks; value: after the rules' factors; likeness: what diversity took off "
        "for being like the items above; place: how it was decided, and the propensity that goes to the event log.",
        style="dim",
    )


def _cells(item: Recommendation) -> tuple[str, str, str, str, str, str]:
    told = item.explanation or {}
    if "last_resort" in told:
        return "last resort", "", "", "", "", "filled up"
    sources = ", ".join(f"{name.replace('_', ' ')} {score:.2f}" for name, score in told["sources"].items())
    rules = [*told["rules"]["touched"]]
    factor = told["rules"]["factor"]
    place = "explored" if _explored(item) else told["place"]
    return (
        sources,
        f"{told['objectives']['buy']:.3f}" if "buy" in told["objectives"] else "",
        f"{told['score']['after_rules']:.3f}",
        ", ".join(rules) + (f" (x{factor:g})" if factor != 1 else ""),
        f"{told['diversity']['penalty']:.3f}",
        f"{place}, p {item.propensity:.3g}",
    )


def _explored(item: Recommendation) -> bool:
    return bool((item.explanation or {}).get("exploration", {}).get("explored"))
