"""The guide for contributors: its map is the tree's, and its recipes work as they stand there."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.page import ROOT

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGES = ("benchmarks", "clients", "components", "endcap", "feature_repo", "pipelines", "services", "transformers")

SOURCE = """
from types import SimpleNamespace
import numpy as np
from endcap.engine.surfaces.surface import Surface, Surfaces
from endcap_transformer.path.sources.registry import source_registry
from endcap_transformer.path.surface_plan import surface_plans

surfaces = Surfaces(version=1, surfaces={"home": Surface(sources={"recent_history": {"quota": 2}})})
(source,) = surface_plans(surfaces, source_registry(search=None, timeout_ms=1), deadline_ms=25)["home"].sources
history = SimpleNamespace(history=np.array([7, 3, 5, 3, 9], dtype=np.int32))
request = SimpleNamespace(state=history, eligible=SimpleNamespace(of=lambda index: index != 9))
found = source.candidates(request)
assert found.index.tolist() == [3, 5], found
"""

RULE_ACTION = """
import numpy as np
from tests.endcap.engine.rules.made_catalogue import at, made_candidates, made_items
from endcap.engine.rules.file.rule_file import parse_rules
from endcap.engine.rules.rule_book import RuleBook

items = made_items()
book = RuleBook.compile(parse_rules("version: 1\\nrules:\\n  - id: petrol\\n    where: category_1 = 'Fuel'\\n    halve: true\\n"), items)
values = made_candidates(items, seed=1)
arguments = (values.candidates, values.score, values.probabilities, items, values.bought_before)
effects = book.effects(book.active(at()), *arguments)
is_petrol = np.array([items.categories.name(int(code)).startswith("Fuel") for code in items.leaf_code[values.candidates.index]])
assert is_petrol.any() and not is_petrol.all()
assert np.allclose(effects.factor, np.where(is_petrol, 0.5, 1.0))
assert effects.touched(np.flatnonzero(is_petrol)[:1]) == [["petrol"]]
"""

ALGORITHM = """
import numpy as np
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.registry import algorithm_of

bought = Interactions(np.array([0, 3, 4]), np.array([1, 1, 2, 2], dtype=np.int32), np.zeros(4, dtype=np.float32), item_count=3)
fitted = algorithm_of("distinct_buyers").fit(TrainingData(bought, None, np.zeros((4, 0), dtype=np.int32)), seed=1)
assert fitted.scores(bought)[0].tolist() == [-np.inf, 1.0, 2.0, -np.inf]
"""


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def test_the_map_has_every_package_with_its_own_sentence() -> None:
    rows = dict(re.findall(r"^\| `([\w/]+)` \| (.+) \|$", _section("Where things are"), re.MULTILINE))
    initials = [path for folder in PACKAGES for path in (ROOT / folder).rglob("__init__.py")]
    assert rows == {path.parent.relative_to(ROOT).as_posix(): _first_line(path) for path in initials}


@pytest.mark.processes
@pytest.mark.parametrize(("title", "program"), [("a source", SOURCE), ("a rule action", RULE_ACTION), ("an algorithm", ALGORITHM)])
def test_a_recipe_makes_what_it_says(title: str, program: str, tmp_path: Path) -> None:
    for folder in ("endcap", "transformers", "tests/endcap/engine/rules"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    _follow(_section(f"How to add {title}"), tmp_path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(tmp_path / "transformers")])}
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def _section(title: str) -> str:
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _follow(section: str, root: Path) -> None:
    """Do what the blocks of a recipe say: `# path` begins a new file, `--- path` what is changed in one."""
    new_files = re.findall(r"```python\n# (\S+)\n(.*?)```", section, re.DOTALL)
    changes = re.findall(r"```diff\n--- (\S+)\n(.*?)```", section, re.DOTALL)
    assert new_files or changes
    for path, text in new_files:
        (root / path).write_text(text, encoding="utf-8")
    for path, change in changes:
        lines = change.splitlines(keepends=True)
        before, after = ("".join(line[1:] for line in lines if line[0] in kinds) for kinds in (" -", " +"))
        text = (root / path).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{path} has not once\n{before}"
        (root / path).write_text(text.replace(before, after), encoding="utf-8")
