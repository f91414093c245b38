"""One list explained: where each item came from, what it scored, and what rules, diversity and exploration did with it."""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.markup import escape
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
    """Print one explained list the way a person reads it: two lines an item, whatever the terminal's width."""
    console.print(f"\n[bold]{escape(introduction)}[/]", highlight=False)
    table = Table(show_header=False, show_edge=False, pad_edge=False, box=None)
    table.add_column("position", justify="right")
    table.add_column("why", overflow="fold")
    for item in answer.recommendations:
        table.add_row(str(item.position), f"[bold]{escape(item.title)}[/]  {_place(item)}\n[dim]{escape(_how(item))}[/]")
    console.print(table, highlight=False)
    models = next((explanation["models"] for item in answer.recommendations if "models" in (explanation := item.explanation or {})), None)
    if models:
        console.print(f"The models {models}.", style="dim", highlight=False)
    console.print(
        "buy: calibrated probability of a purchase within four weeks; value: after the rules' factors; likeness: what diversity took off "
        "for being like the items above; p: the propensity that goes to the event log.",
        style="dim",
    )


def _place(item: Recommendation) -> str:
    explanation = item.explanation or {}
    if "last_resort" in explanation:
        return "filled up, no candidate was left"
    place = f"[yellow]explored ({explanation['exploration']['policy']})[/]" if _explored(item) else explanation["place"]
    by_rule = f" by {escape(explanation['rules']['placed_by'])}" if "placed_by" in explanation["rules"] else ""
    return f"{place}{by_rule}, p {item.propensity:.3g}"


def _how(item: Recommendation) -> str:
    explanation = item.explanation or {}
    if "last_resort" in explanation:
        return "popular"
    sources = ", ".join(f"{name.replace('_', ' ')} {score:.2f}" for name, score in explanation["sources"].items())
    parts = [sources]
    parts += [f"{objective.replace('_', ' ')} {probability:.3f}" for objective, probability in explanation["objectives"].items()]
    parts.append(f"value {explanation['score']['after_rules']:.3f}")
    if explanation["rules"]["touched"]:
        factor = f" x{explanation['rules']['factor']:g}" if explanation["rules"]["factor"] != 1 else ""
        parts.append(f"rules {', '.join(explanation['rules']['touched'])}{factor}")
    parts.append(f"likeness {explanation['diversity']['penalty']:.3f}")
    if "family" in explanation:
        parts.append(f"in place of {', '.join(explanation['family']['left_out'])} of its family")
    return "; ".join(parts)


def _explored(item: Recommendation) -> bool:
    return bool((item.explanation or {}).get("exploration", {}).get("explored"))
