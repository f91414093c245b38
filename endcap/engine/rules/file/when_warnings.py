"""What a `when` names that nothing answers to: no fault, since it may come, but more often a slip of the pen."""

import difflib
from collections.abc import Collection, Iterator, Mapping

from endcap.catalogue.vocabulary import Vocabulary
from endcap.engine.rules.file.rule_file import RuleFile


def when_warnings(file: RuleFile, surfaces: Collection[str], user_vocabularies: Mapping[str, Vocabulary]) -> list[str]:
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


def _unknown_segments(names: Collection[str], vocabularies: Mapping[str, Vocabulary]) -> Iterator[str]:
    for name in names:
        column, _, value = name.partition("=")
        if column not in vocabularies:
            yield f"segment {name!r} is not written column=value with one of {', '.join(vocabularies)}"
        elif not vocabularies[column].code(value):
            yield f"nobody is in segment {name!r}{_meant(value, list(vocabularies[column].names))}"


def _meant(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
