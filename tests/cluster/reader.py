"""A reader of a page of the documentation, who runs its commands against the tests' cluster."""

import subprocess
from pathlib import Path

from tests.docs.page import ROOT, Block


class Reader:
    """A person who does what the page says, in a folder beside the chart."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        (folder / "charts").symlink_to(ROOT / "charts")

    def do(self, block: Block) -> str:
        """Write the block's file, or run its commands; what they printed."""
        if block.kind == "file":
            (self.folder / block.name).write_text(block.text, encoding="utf-8")
            return ""
        self.environment |= block.exports
        done = subprocess.run(
            ["bash", "-c", block.script], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout
