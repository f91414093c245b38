"""A Dockerfile as its stages and their instructions."""

import re
from dataclasses import dataclass
from pathlib import Path

CACHE_MOUNT = re.compile(r"--mount=type=cache,target=(\S+)\s+")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its word in capitals, and the rest of it on one line."""

    word: str
    rest: str


@dataclass(frozen=True)
class Stage:
    """What one FROM begins: its base, its name (empty: it has none), and the instructions after it."""

    base: str
    name: str
    instructions: tuple[Instruction, ...]

    def all(self, word: str) -> list[str]:
        """What every instruction of one kind says."""
        return [instruction.rest for instruction in self.instructions if instruction.word == word]


@dataclass(frozen=True)
class Dockerfile:
    """The arguments before the first FROM as written (`NAME` or `NAME=default`), and the stages."""

    arguments: tuple[str, ...]
    stages: tuple[Stage, ...]


def read_dockerfile(path: Path) -> Dockerfile:
    """Read the Dockerfile of one image.

    Raises:
        ValueError: something else than ARG stands before the first FROM.
    """
    arguments: list[str] = []
    stages: list[tuple[str, list[Instruction]]] = []
    for instruction in _instructions(path.read_text()):
        if instruction.word == "FROM":
            stages.append((instruction.rest, []))
        elif stages:
            stages[-1][1].append(instruction)
        elif instruction.word == "ARG":
            arguments.append(instruction.rest)
        else:
            raise ValueError(f"{path}: {instruction.word} before FROM")
    return Dockerfile(tuple(arguments), tuple(_stage(said, inside) for said, inside in stages))


def _instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in whole.splitlines())]


def _stage(said: str, inside: list[Instruction]) -> Stage:
    base, _, name = said.partition(" AS ")
    return Stage(base.strip(), name.strip(), tuple(inside))
