"""`endcap rules`: check the merchandisers' rules before they are in force, and see which are."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.errors import InvalidInput
from endcap.core.settings import RetrievalSettings, Settings, load_settings

if TYPE_CHECKING:
    from endcap.catalogue.vocabulary import Vocabulary
    from endcap.cli.rule_trial import SampleUser, Trial, TrialRequest
    from endcap.engine.rules.file.rule_file import RuleFile
    from endcap.engine.rules.rule_book import RuleBook
    from endcap.engine.rules.rule_reach import RuleReach
    from endcap.engine.surfaces.surface import Surface
    from endcap.release.bundle.manifest import Bundle
    from endcap.release.bundle.tables import BundleTables

app = typer.Typer(help="Check, show and describe the merchandisers' rules.", no_args_is_help=True)

BASIS = "item-to-item, buy-again and popular in order of their fused ranks, without the ranker, diversity and exploration"


@app.command()
def check(  # noqa: PLR0917 - an option a parameter, as typer reads them
    file: Annotated[Path, typer.Argument(help="The rule file.")],
    bundle: Annotated[int | None, typer.Option(help="Version of a bundle; the promoted one when left out.", show_default=False)] = None,
    user: Annotated[list[str] | None, typer.Option(help="A customer to make a list for; repeat it.")] = None,
    surface: Annotated[str, typer.Option(help="The surface the lists are for.")] = "home",
    item: Annotated[list[str] | None, typer.Option(help="The page's item or the cart's; repeat it.")] = None,
    device: Annotated[str | None, typer.Option(help="The device that asks.")] = None,
    region: Annotated[str | None, typer.Option(help="The region that asks; the customer's when left out.")] = None,
    at: Annotated[str | None, typer.Option(help="UTC instant the lists are for, ISO 8601; now when left out.", show_default=False)] = None,
    k: Annotated[int, typer.Option("-k", "--k", help="How many items a list has.", min=1, max=500)] = 10,
    as_json: JsonOption = False,
) -> None:
    """Check a rule file against a bundle: how much of the catalogue each rule leaves, and what it changes for some customers.

    Example: endcap rules check rules.yaml --surface home --user 1364
    """
    from endcap.engine.rules.enabled_rules import EnabledRules
    from endcap.engine.rules.file.rule_file import read_rules

    settings = load_settings()
    rules = read_rules(file)
    EnabledRules.of(rules)
    opened = _opened(settings, bundle)
    if opened is None:
        _say_unchecked(rules, as_json)
        return
    from endcap.cli.rule_trial import TrialRequest, sample_users
    from endcap.engine.rules.rule_book import RuleBook
    from endcap.release.bundle.tables import read_tables

    tables = read_tables(opened.path, memory_map=True)
    surfaces = _surfaces(settings, surface, bool(item))
    now = _moment(at, settings, opened)
    book = RuleBook.compile(rules, tables.items, lambda: now)
    shown = surfaces[surface]
    one_of_family, own_families = shown.families == "one", shown.items != "page" or shown.page_family
    request = TrialRequest(surface, k, now, _known_items(item or [], tables), device, region, one_of_family, own_families)
    quotas = settings.retrieval.model_copy(update=opened.manifest.quotas)
    trials = _trials(book, tables, request, sample_users(settings.features_dir, user or []), quotas)
    reaches = book.reaches()
    shortages = _shortages(rules, reaches, trials, k)
    warnings = when_warnings(rules, surfaces, tables.user_vocabularies) + book.warnings() + shortages
    found = {"bundle": opened.manifest.name, "leaves_enough": not shortages, "warnings": warnings}
    report = found | _report(book, reaches, tables, request, trials)
    if as_json:
        print_json(report)
    else:
        _show_report(report)


@app.command()
def show(as_json: JsonOption = False) -> None:
    """Show the rule file that servers read: its version and each rule.

    Example: endcap rules show
    """
    from endcap.engine.rules.enabled_rules import EnabledRules
    from endcap.engine.rules.file.rule_file import read_rules

    path = load_settings().rules_file
    if not path.exists():
        if as_json:
            print_json({"file": str(path), "version": "none", "rules": [], "picks": []})
        else:
            typer.echo(f"No rules: there is no file {path}.")
        return
    rules = read_rules(path)
    EnabledRules.of(rules)
    if as_json:
        dumped = rules.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        print_json(
            {"file": str(path)} | dumped | {"version": rules.name, "rules": dumped.get("rules", []), "picks": dumped.get("picks", [])}
        )
        return
    print_table(f"{path}, version {rules.name}", _rule_lines(rules))


@app.command()
def schema(as_json: JsonOption = True) -> None:  # noqa: ARG001 - it is JSON anyway, and every command takes --json
    """Print the JSON Schema of rule files, for editors and for checks in version control.

    Example: endcap rules schema > rules.schema.json
    """
    from endcap.engine.rules.file.rule_file import RuleFile

    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **RuleFile.model_json_schema()})


def _opened(settings: Settings, version: int | None) -> "Bundle | None":
    """The bundle asked for, else the promoted one, None before the first promotion."""
    from endcap.release.bundle.manifest import open_bundle
    from endcap.release.bundle.promotion import served_bundle, served_version

    if version is not None:
        return open_bundle(settings.bundles_dir / str(version))
    return served_bundle(settings.served_dir) if served_version(settings.served_dir) is not None else None


def _surfaces(settings: Settings, surface: str, has_items: bool) -> "Mapping[str, Surface]":
    """The configured surfaces, once the one asked for is known to be possible."""
    from endcap.engine.surfaces.surface import load_surfaces

    surfaces = load_surfaces(settings.serving.surfaces_file).surfaces
    if surface not in surfaces:
        raise InvalidInput("no such surface", field="--surface", value=surface, fix=f"one of {', '.join(surfaces)}")
    if surfaces[surface].items_required and not has_items:
        raise InvalidInput("this surface is about items", field="--surface", value=surface, fix="name one with --item")
    return surfaces


def _moment(at: str | None, settings: Settings, bundle: "Bundle") -> datetime:
    from endcap.contracts.moment import require_utc
    from endcap.core.settings import resolve_replay

    if at is None:
        now = datetime.now(UTC)
        return resolve_replay(settings.replay_at, bundle.manifest.data_end, now) or now
    try:
        return require_utc(datetime.fromisoformat(at))
    except ValueError as error:
        raise InvalidInput(str(error), field="--at", value=at, fix="for example 2026-11-27T08:00:00Z") from error


def _known_items(ids: Sequence[str], tables: "BundleTables") -> Any:
    index = tables.items.ids.codes(list(ids))
    if not index.all():
        raise InvalidInput("the bundle does not know this item", field="--item", value=ids[int((index == 0).argmax())], fix="name another")
    return index


def _trials(
    book: "RuleBook", tables: "BundleTables", request: "TrialRequest", users: "Sequence[SampleUser]", quotas: RetrievalSettings
) -> "list[tuple[str, Trial]]":
    from endcap.cli.rule_trial import RuleTrials
    from endcap.engine.retrieval.user_state import user_state

    trials = RuleTrials(book, tables, quotas)
    states = [(user.name, user_state(user.row, tables.items, tables.user_vocabularies, request.now)) for user in users]
    return [(name, trials.trial(state, request)) for name, state in states]


def _shortages(file: "RuleFile", reaches: "Sequence[RuleReach]", trials: "Sequence[tuple[str, Trial]]", k: int) -> list[str]:
    """One message for each rule that leaves a list short of items, and for each person whom all rules together do."""
    found = [(reach.rule.id, reach.shortage(k)) for reach in reaches]
    messages = [f"{file.place(name)}: {shortage}" for name, shortage in found if shortage is not None]
    if not reaches:
        return messages
    catalogue = reaches[0].catalogue
    short = {trial.left: name for name, trial in reversed(trials) if trial.left < min(k, catalogue)}
    return messages + [
        f"all rules that hold for {name} leave {left:,} of the {catalogue:,} items in stock, fewer than the {k} of a list"
        for left, name in sorted(short.items())
    ]


def _report(
    book: "RuleBook",
    reaches: "Sequence[RuleReach]",
    tables: "BundleTables",
    request: "TrialRequest",
    trials: "Sequence[tuple[str, Trial]]",
) -> dict[str, Any]:
    holding = [set(trial.holding) for _, trial in trials]
    return {
        "rules_version": book.version,
        "surface": request.surface,
        "at": request.now.isoformat(),
        "lists_from": BASIS,
        "items": len(tables.items) - 1,
        "in_stock": int(tables.items.available.sum()),
        "rules": [
            {
                "rule": name,
                "action": action,
                "matches": reaches[number].matches,
                "in_stock": reaches[number].in_stock,
                "leaves": reaches[number].leaves,
                "lists": sum(name in held for held in holding),
                "candidates": sum(int(trial.touched[number]) for _, trial in trials),
            }
            for number, (name, action) in enumerate(book.rules)
        ],
        "users": [{"user": name, "left": trial.left, "list": [_place(place, tables) for place in trial.places]} for name, trial in trials],
    }


def _place(place: Any, tables: "BundleTables") -> dict[str, Any]:
    return {
        "position": place.position,
        "was": place.was,
        "change": place.change,
        "item_id": tables.items.ids.name(place.item_index),
        "title": tables.items.title_of(place.item_index),
        "rules": list(place.rules),
    }


def _show_report(report: dict[str, Any]) -> None:
    verdict = "Good" if report["leaves_enough"] else "Leaves too few items"
    typer.echo(f"{verdict}: version {report['rules_version']}, against {report['bundle']}, {report['surface']} at {report['at']}.")
    for warning in report["warnings"]:
        typer.echo(f"Warning: {warning}")
    if report["rules"]:
        of_request = [{**rule, **{name: "by request" for name in _COUNTED if rule[name] is None}} for rule in report["rules"]]
        title = f"Rules, over {report['items']:,} items, {report['in_stock']:,} in stock, and in {len(report['users'])} lists"
        print_table(title, of_request)
    for user in report["users"]:
        rows = [{**place, "rules": ", ".join(place["rules"])} for place in user["list"]]
        changed = sum(bool(place["change"]) for place in rows)
        print_table(f"{user['user']}: {changed} changes" if changed else f"{user['user']}: nothing changes", rows)
    typer.echo(f"Lists from {report['lists_from']}.")


_COUNTED = ("matches", "in_stock", "leaves")


def _say_unchecked(rules: "RuleFile", as_json: bool) -> None:
    if as_json:
        print_json({"rules_version": rules.name, "bundle": None, "rules": _rule_lines(rules)})
    else:
        print_table(f"Version {rules.name}", _rule_lines(rules))
        typer.echo("Good as far as it goes: no bundle is promoted, so it was not tried on a catalogue.")


def _rule_lines(rules: "RuleFile") -> list[dict[str, str]]:
    lines = [_line(rule, f"{rule.action} {_settings_of(getattr(rule, rule.action))}", rule.where or "all items") for rule in rules.rules]
    return lines + [_line(picks, f"picks {len(picks.items)} items", "") for picks in rules.picks]


def _line(entry: Any, does: str, where: str) -> dict[str, str]:
    return {"id": entry.id, "does": does.strip() if entry.enabled else "nothing: disabled", "when": _when(entry.when), "where": where}


def _settings_of(action: Any) -> str:
    return "" if action is True else ", ".join(f"{name} {value}" for name, value in action.model_dump(exclude_none=True).items())


def _when(when: Any) -> str:
    given = when.model_dump(by_alias=True, exclude_none=True)
    parts = {**{name: value for name, value in given.items() if name != "time"}, **given.get("time", {})}
    return "; ".join(f"{name} {' | '.join(value) if isinstance(value, list) else value}" for name, value in parts.items()) or "always"


def when_warnings(file: "RuleFile", surfaces: Collection[str], user_vocabularies: "Mapping[str, Vocabulary]") -> list[str]:
    """One message for each surface and segment that is unknown.

    Args:
        file: the rules.
        surfaces: names of the configured surfaces.
        user_vocabularies: by the user columns that make segments.
    """
    whens = [(rule.id, rule.when) for rule in file.rules] + [(picks.id, picks.when) for picks in file.picks]
    messages = []
    for name, when in whens:
        unknown = [*_unknown_surfaces(when.surface or (), surfaces), *_unknown_segments(when.segment or (), user_vocabularies)]
        messages += [f"{file.place(name)}: when: {message}" for message in unknown]
    return messages


def _unknown_surfaces(names: Collection[str], surfaces: Collection[str]) -> Iterator[str]:
    for name in names:
        if name not in surfaces:
            yield f"there is no surface {name!r}{_meant(name, surfaces)}"


def _unknown_segments(names: Collection[str], vocabularies: "Mapping[str, Vocabulary]") -> Iterator[str]:
    for name in names:
        column, _, value = name.partition("=")
        if column not in vocabularies:
            yield f"segment {name!r} is not written column=value with one of {', '.join(vocabularies)}"
        elif not vocabularies[column].code(value):
            yield f"nobody is in segment {name!r}{_meant(value, list(vocabularies[column].names))}"


def _meant(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
