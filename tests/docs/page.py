"""A page of the documentation as tests run it: its fenced blocks, and what the comment above each says of it.

`<!-- run -->` or `<!-- run: name -->` stands above commands that a test runs, `<!-- file: name -->` above a file they use, and
`<!-- shown: why -->` above commands that no test of the page runs.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"(?:<!-- (?P<kind>run|file|shown)(?:: (?P<name>[^>]*?))? -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        kind: run, file or shown; None when no comment stands above it.
        name: what the comment adds.
        language: console, yaml and the like.
    """

    kind: str | None
    name: str
    language: str
    text: str

    @property
    def script(self) -> str:
        """The commands without their prompts, for bash; each must succeed."""
        lines = (line.removeprefix("$ ") for line in self.text.splitlines())
        return "set -euo pipefail\n" + "\n".join(lines) + "\n"

    @property
    def exports(self) -> dict[str, str]:
        """Variables that later blocks of the page may rely on."""
        words = (shlex.split(line.removeprefix("$ export ")) for line in self.text.splitlines() if line.startswith("$ export "))
        return dict(pair.split("=", 1) for line in words for pair in line)


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page under `docs/`, in order."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = _BLOCK.finditer(text)
    return [Block(each["kind"], each["name"] or "", each["language"], each["text"]) for each in found]
