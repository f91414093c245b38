"""One bundle in memory, with what the request path looks up often made ready, and what changes while it is served."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.category_levels import CategoryLevels
from endcap.catalogue.item_table import PATH_SEPARATOR, ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.bundle import BundleManifest
from endcap.core.clock import Clock, replay_clock, system_clock
from endcap.core.log import get_logger
from endcap.core.settings import RetrievalSettings, Settings, resolve_replay
from endcap.engine.exploration.evidence import EVIDENCE_FILE, Evidence
from endcap.engine.ranking.value import untrained_objectives, usable_value
from endcap.engine.retrieval.content import ContentTable
from endcap.engine.retrieval.preferences import PopularWithin
from endcap.engine.retrieval.shop_trends import ShopTrends
from endcap.engine.rules.enabled_rules import EnabledRules
from endcap.engine.rules.file.rule_file import NO_RULES, RuleFile
from endcap.engine.rules.rule_book import RuleBook
from endcap.engine.surfaces.surface import Surface, Surfaces, load_surfaces
from endcap.release.bundle.tables import BundleTables
from endcap_transformer.live.file_watch import UNUSABLE
from endcap_transformer.telemetry.rule_counts import RuleCounts


@dataclass(frozen=True)
class CategoryTree:
    """c category paths by code, found by any of their names: what a request's category filter looks items up with.

    Attributes:
        parent: int32 [c], code of the path one level up, 0 at the top.
        codes_by_name: codes of the paths that end in a name, and of each whole path.
        depth: levels of the deepest path.
    """

    parent: NDArray[np.int32]
    codes_by_name: Mapping[str, list[int]]
    depth: int

    @classmethod
    def of(cls, categories: Vocabulary) -> "CategoryTree":
        codes_by_name: dict[str, list[int]] = {}
        parent = np.zeros(len(categories), dtype=np.int32)
        depth = 0
        for code, path in enumerate(categories.names, start=1):
            above, _, name = path.rpartition(PATH_SEPARATOR)
            parent[code] = categories.code(above)
            codes_by_name.setdefault(name, []).append(code)
            if above:
                codes_by_name.setdefault(path, []).append(code)
            depth = max(depth, path.count(PATH_SEPARATOR) + 1)
        return cls(parent, codes_by_name, depth)

    def knows(self, name: str) -> bool:
        """Whether a category has this name, as a single level or a whole path."""
        return name in self.codes_by_name

    def within(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """bool [c]: categories that are one of `names`, or lie below one; a name may be a single level or a whole path."""
        inside = np.zeros(len(self.parent), dtype=bool)
        for name in names:
            inside[self.codes_by_name.get(name, [])] = True
        for _ in range(self.depth):
            inside |= inside[self.parent]
        inside[0] = False
        return inside


@dataclass(frozen=True)
class ServedBundle:
    """Everything of a bundle that requests read. A request takes one and keeps it, so it never sees two of anything.

    Attributes:
        trends: what sells: the bundle's tables, or live counts in their place.
        quotas: candidates a source and in all, as the ranker was trained with.
        categories: finds the items of a category by name.
        category_levels: which levels of the category tree tell items apart.
        popular_within: items by category and brand, most bought first.
        content: items without a history, by what they are.
        by_purchases: int32 [items], every item index, most purchases of the last 90 days first: the last resort's order.
        rules: the merchandisers' rules, compiled for this catalogue.
        rule_counts: what these rules did.
        evidence: clicks by item index, for exploration.
        clock: the present, or the end of the data when it is recorded history.
        replay_at: where the clock stands, None when it runs.
        variant: the experiment variant this deployment answers.
    """

    manifest: BundleManifest
    tables: BundleTables
    trends: ShopTrends
    quotas: RetrievalSettings
    categories: CategoryTree
    category_levels: CategoryLevels
    popular_within: PopularWithin
    content: ContentTable
    by_purchases: NDArray[np.int32]
    rules: RuleBook
    rule_counts: RuleCounts
    evidence: Evidence
    clock: Clock
    replay_at: datetime | None
    variant: str

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def revision(self) -> tuple[int, str, int]:
        """What answers depend on beside the request: bundle, rules and item table; trends may be some seconds old."""
        return self.manifest.version, self.rules.version, self.tables.items.revision

    def trained_quota(self, source: str) -> int:
        """Candidates of a source as the ranker was trained with; all for sources that it does not know."""
        return int(getattr(self.quotas, f"{source}_quota", self.quotas.candidates_max))

    def value_of(self, surface: Surface) -> dict[str, float]:
        """Exponents of a surface's value product, of objectives that the bundle was trained for."""
        return usable_value(surface.value, self.manifest.value, self.manifest.objectives)

    def ignored_of(self, surface: Surface) -> list[str]:
        """By name, the objectives of a surface's value that the bundle was not trained for."""
        return [f"value.{name}" for name in untrained_objectives(surface.value, self.manifest.objectives)]

    def with_items(self, items: ItemTable) -> "ServedBundle":
        """The same bundle with a newer item table; its rules are compiled for it a moment later."""
        return replace(self, tables=replace(self.tables, items=items), content=replace(self.content, items=items))


def served_from(
    manifest: BundleManifest,
    tables: BundleTables,
    settings: Settings,
    rules: RuleFile | EnabledRules = NO_RULES,
    items: ItemTable | None = None,
    *,
    trends: ShopTrends | None = None,
) -> ServedBundle:
    """Make a bundle's tables ready for requests.

    Args:
        manifest: of the bundle.
        tables: as the bundle brings them.
        settings: quotas and the moment to answer for.
        rules: the merchandisers' rules.
        items: the bundle's item table with live updates, which it begins with; its own when left out.
        trends: what sells, with live counts; the bundle's own when left out.

    Raises:
        InvalidInput: a rule cannot be used with this catalogue, or the surfaces file cannot be used.
    """
    _warn_of_untrained(manifest, load_surfaces(settings.serving.surfaces_file))
    present = tables.items if items is None else items
    replay_at = resolve_replay(settings.replay_at, manifest.data_end, system_clock())
    clock = replay_clock(replay_at) if replay_at else system_clock
    within = PopularWithin.of(tables.items)
    book = RuleBook.compile(rules, present, clock)
    return ServedBundle(
        manifest=manifest,
        tables=tables,
        trends=ShopTrends(tables.popularity, tables.trending) if trends is None else trends,
        quotas=settings.retrieval.model_copy(update=manifest.quotas),
        categories=CategoryTree.of(tables.items.categories),
        category_levels=CategoryLevels.of(tables.items),
        popular_within=within,
        content=ContentTable.of(tables.items, tables.item_embeddings, tables.has_neighbours, within),
        by_purchases=tables.items.by_purchases,
        rules=book,
        rule_counts=RuleCounts(book.rules),
        evidence=_evidence(settings, tables.items),
        clock=clock,
        replay_at=replay_at,
        variant=settings.serving.variant,
    ).with_items(present)


def _warn_of_untrained(manifest: BundleManifest, surfaces: Surfaces) -> None:
    """Once a bundle, not once a request."""
    for name, surface in surfaces.surfaces.items():
        missing = untrained_objectives(surface.value, manifest.objectives)
        if missing:
            get_logger("transformer").warning(
                "the surface's value names objectives that the bundle was not trained for; they are ignored",
                surface=name,
                ignored=missing,
                trained=manifest.objectives,
            )


def _evidence(settings: Settings, items: ItemTable) -> Evidence:
    """The click evidence on disk; none when the file cannot be used, since a list can do without."""
    try:
        return Evidence.read(settings.live_dir / EVIDENCE_FILE, items)
    except UNUSABLE as error:
        get_logger("transformer").error("click evidence refused; starting without any", cause=str(error))
        return Evidence.of(items)
