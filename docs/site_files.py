"""What `make docs` builds the site from: docs/ and the pages beside the code, each under its path in the repository.

mkdocs knows the files of one folder, by their paths in it. Here each has the path it has in the repository, so that a link between
docs/ and a page outside of it is the same one on a code host and in the site.
"""

from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

OUTSIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "charts/endcap/README.md")
"""Pages that lie where their readers look for them first."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """A path of the navigation that ends in `*.md` stands for the pages of that folder, by name."""
    config.nav = _expanded(config.nav, _root(config))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages by their paths in the repository; their addresses in the site stay as they were."""
    docs = Path(config.docs_dir).relative_to(_root(config))
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
        files.append(_file(str(PurePosixPath(docs, file.src_uri)), config, dest_uri=file.dest_uri, inclusion=file.inclusion))
    for path in OUTSIDE:
        files.append(_file(path, config))
    return files


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path).parent


def _file(path: str, config: MkDocsConfig, **more: Any) -> File:
    return File(path, str(_root(config)), config.site_dir, config.use_directory_urls, **more)


def _expanded(entry: Any, root: Path) -> Any:
    if isinstance(entry, list):
        return [_expanded(each, root) for each in entry]
    if isinstance(entry, dict):
        return {title: _expanded(each, root) for title, each in entry.items()}
    if entry.endswith("*.md"):
        paths = sorted(root.glob(entry), key=lambda path: (path.name != "README.md", path.name))
        return [path.relative_to(root).as_posix() for path in paths]
    return entry
