"""An image's install steps, run without a container engine: `python -m images.dry_build transformer FOLDER [COMMAND...]`.

It prints the command line that starts a command as the image would.

What the Dockerfile's build stage says is done word for word (COPY, RUN, ENV, ARG, WORKDIR) in a private root, on the running Python
instead of the base image's. The final stage's COPY and ENV are done in a second one, so that only what the image holds is there. Its RUN
steps are not done: they change the base image, which is not there.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from images.private_root import PrivateRoot

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


ROOT = Path(__file__).parents[1]
UID = 10001
BASE = "python:3.11-slim@sha256:" + "0" * 64
"""Stands for the base image in the build's arguments; the running Python is in its place."""
WRITABLE = "/var/lib/endcap"
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.egg-info", "data")


@dataclass
class DryBuild:
    """One image, as far as its Dockerfile has been followed."""

    root: PrivateRoot
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    built: "DryBuild | None" = None

    def follow(self, instruction: Instruction, arguments: Mapping[str, str], cache: Path) -> None:
        """Do one instruction; those that only describe the image are passed by."""
        rest = instruction.rest
        if instruction.word == "WORKDIR":
            self.workdir = rest
            self.root.inside(rest).mkdir(parents=True, exist_ok=True)
        elif instruction.word == "ENV":
            for word in shlex.split(rest):
                name, _, value = word.partition("=")
                self.environment[name] = _expanded(value, self.environment)
        elif instruction.word == "ARG" and self.built is None:
            name, _, default = rest.partition("=")
            self.environment[name] = arguments.get(name, default)
        elif instruction.word == "COPY":
            self._copy(shlex.split(rest))
        elif instruction.word == "RUN" and self.built is None:
            self._run(rest, cache)

    def _run(self, said: str, cache: Path) -> None:
        mounts = dict.fromkeys(CACHE_MOUNT.findall(said), cache)
        shell = ["sh", "-e", "-c", CACHE_MOUNT.sub("", said)]
        subprocess.run(
            self.root.command(shell, self.environment, workdir=self.workdir, mounts=mounts), stdout=sys.stderr.fileno(), check=True
        )

    def _copy(self, words: Sequence[str]) -> None:
        options = [word for word in words if word.startswith("--")]
        *sources, target = [word for word in words if not word.startswith("--")]
        place = self.root.inside(str(Path(self.workdir, target)))
        if self.built is not None and any(option.startswith("--from=") for option in options):
            place.parent.mkdir(parents=True, exist_ok=True)
            self.built.root.inside(sources[0]).rename(place)
            return
        for source in _found(sources):
            if source.is_dir():
                shutil.copytree(source, place, dirs_exist_ok=True, ignore=_NOT_COPIED)
            else:
                copied = place / source.name if target.endswith("/") else place
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copied)
                copied.chmod(next((int(option.removeprefix("--chmod="), 8) for option in options if option.startswith("--chmod=")), 0o644))

    def starting(self, command: Sequence[str], **environment: str) -> list[str]:
        """The command line that runs a command as the image would: as its user, with only /tmp and endcap's own folder writable."""
        self.home.mkdir(exist_ok=True)
        shutil.chown(self.home, UID, UID)
        mounts = {WRITABLE: self.home}
        return self.root.command(command, self.environment | environment, workdir=self.workdir, mounts=mounts, uid=UID)

    @property
    def home(self) -> Path:
        """The image's ENDCAP_HOME, as this machine sees it."""
        return self.root.folder.with_name(f"{self.root.folder.name}-home")


def dry_build(image: str, folder: Path, cache: Path, **arguments: str) -> DryBuild:
    """Follow an image's Dockerfile.

    Args:
        image: the folder's name below `images/`.
        folder: an empty folder; takes the size of the image.
        cache: of package downloads, kept between builds.
        arguments: build arguments.

    Returns:
        The image's final stage.

    Raises:
        FileNotFoundError: the repository lacks what is copied.
        subprocess.CalledProcessError: an install step failed.
    """
    build, final = read_dockerfile(ROOT / "images" / image / "Dockerfile").stages
    path = f"{sys.base_prefix}/bin:/usr/bin:/bin"
    first = DryBuild(PrivateRoot(folder / "build"), {"PATH": path, "HOME": "/root"})
    last = DryBuild(PrivateRoot(folder / "image"), {"PATH": path}, built=first)
    given = {"PYTHON_IMAGE": BASE, **arguments}
    for stage, steps in ((first, build), (last, final)):
        for instruction in steps.instructions:
            stage.follow(instruction, given, cache)
    return last


def _found(patterns: Sequence[str]) -> list[Path]:
    found = [(pattern, sorted(ROOT.glob(pattern))) for pattern in patterns]
    missing = [pattern for pattern, paths in found if not paths]
    if missing:
        raise FileNotFoundError(f"COPY: the repository has no {', '.join(missing)}")
    return [path for _, paths in found for path in paths]


def package_cache() -> Path:
    """uv's own cache of downloads."""
    uv = Path(sys.executable).with_name("uv")
    return Path(subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip())


def _expanded(value: str, environment: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: environment.get(match[1], ""), value)


if __name__ == "__main__":
    done = dry_build(sys.argv[1], Path(sys.argv[2]), package_cache())
    print(shlex.join(done.starting(sys.argv[3:] or ["python", "-VV"])))  # noqa: T201
