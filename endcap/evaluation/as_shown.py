"""The list as a surface shows it, made with the slate's own functions: what caps and diversity cost is seen before anything is served."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from endcap.catalogue.category_levels import CategoryLevels
from endcap.catalogue.item_table import ItemTable
from endcap.contracts.evaluation import Figure, Shown
from endcap.core.errors import InvalidInput
from endcap.engine.ranking.value import BUY_VALUE, untrained_objectives, value_scores
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.diversity import Diversity
from endcap.engine.surfaces.list_diversity import list_diversity
from endcap.engine.surfaces.surface import Surface, SurfaceDiversity, load_surfaces
from endcap.evaluation.bootstrap import Resamples
from endcap.evaluation.ranked_lists import RankedLists
from endcap.evaluation.user_items import UserItems

AVAILABLE, VALUE, FAMILIES, CAPS, DIVERSITY = "availability", "value", "families", "caps", "diversity"
STEPS = (AVAILABLE, VALUE, FAMILIES, CAPS, DIVERSITY)
SHOWN = STEPS[-1]
"""After this step a list is what people see."""
LOSS_SHARE_MIN = 0.05
"""A list that loses less than this share of its order's NDCG is as it should be: caps and diversity cost a little."""
STEP_SHARE_MIN = 0.2
"""A step is named when it is at least this share of the loss."""


def home_surface(given: Mapping[str, Any]) -> Surface:
    """The surface that lists are judged on: as given, or for `{}` the one that endcap ships with.

    Raises:
        InvalidInput: it is no surface.
    """
    if not given:
        return load_surfaces().surfaces["home"]
    try:
        return Surface.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in ("home", *first["loc"]))
        raise InvalidInput(first["msg"], field=place, value=first.get("input"), fix="see docs/serving.md, Surfaces") from None


@dataclass(frozen=True)
class ShownSurface:
    """What the lists of one surface are made with, exploration off and without rules or filters.

    Attributes:
        surface: its value, caps and diversity.
        items: the catalogue.
        embeddings: float32 [n + 1, dim], of the same items.
        value: exponents of the value product.
    """

    surface: Surface
    items: ItemTable
    embeddings: NDArray[np.float32]
    value: Mapping[str, float] = field(default_factory=lambda: BUY_VALUE)

    def lists(self, pairs: UserItems, probabilities: Mapping[str, NDArray[np.float32]], k: int) -> dict[str, RankedLists]:
        """By step, the lists after it; the last one is what is shown.

        Args:
            pairs: candidates, those of a user together, in the order in which equal ones stay.
            probabilities: float32 [p] by objective, what the list is ordered by.
            k: length of the lists.
        """
        made = {step: np.zeros((pairs.users, k), dtype=np.int32) for step in STEPS}
        ends = np.cumsum(np.bincount(pairs.user_row, minlength=pairs.users))
        for row, (start, end) in enumerate(zip(np.concatenate([[0], ends[:-1]]), ends, strict=True)):
            kept = start + np.flatnonzero(self.items.available[pairs.item_index[start:end]])
            index = pairs.item_index[kept]
            for step, rows in self._of_user(index, {name: values[kept] for name, values in probabilities.items()}, k).items():
                made[step][row, : len(rows)] = index[rows]
        return {step: RankedLists(items) for step, items in made.items()}

    def _of_user(self, index: NDArray[np.int32], probabilities: Mapping[str, NDArray[np.float32]], k: int) -> dict[str, NDArray[np.int32]]:
        """By step, the list's rows among a user's candidates."""
        value = value_scores(probabilities, self.value, self.items.margin[index], self.items.price[index])
        one_each = self.surface.families == "one" and self.items.has_families
        families = self.items.family_code[index] if one_each else None
        wanted = self.surface.diversity
        return {
            AVAILABLE: assemble(probabilities.get("buy", value), k).rows,
            VALUE: assemble(value, k).rows,
            FAMILIES: assemble(value, k, families=families).rows,
            CAPS: assemble(value, k, diversity=self._diversity(index, wanted.model_copy(update={"mmr": 0.0})), families=families).rows,
            DIVERSITY: assemble(value, k, diversity=self._diversity(index, wanted), families=families).rows,
        }

    @cached_property
    def _levels(self) -> CategoryLevels:
        return CategoryLevels.of(self.items)

    def _diversity(self, index: NDArray[np.int32], wanted: SurfaceDiversity) -> Diversity | None:
        return list_diversity(wanted, index, self.items, self._levels, self.embeddings)

    @property
    def ignored(self) -> list[str]:
        """Objectives that the surface's own value names and the lists are not ordered by."""
        return untrained_objectives(self.surface.value, self.value)

    def described(self, step: str) -> str:
        """A step with the settings that decide it."""
        wanted = self.surface.diversity
        return {
            AVAILABLE: "items that are not available",
            VALUE: f"the value expression ({', '.join(f'{name}^{power:g}' for name, power in self.value.items())})",
            FAMILIES: "one item of a family",
            CAPS: f"the cap of {wanted.category_most} items of a category at level {wanted.category_level or 'finest'}",
            DIVERSITY: f"diversity (mmr {wanted.mmr:g})",
        }[step]


def judge_shown(
    name: str, surface: ShownSurface, order: NDArray[np.float64], steps: Mapping[str, NDArray[np.float64]], *, seed: int, metric: str
) -> Shown:
    """Compare the list as it is shown with the order it is made of.

    Args:
        name: of the surface.
        surface: what the lists were made with.
        order: float64 [users], what the order is worth.
        steps: by step, what the lists after it are worth to the same users.
        seed: of the resamples.
        metric: what the values are.
    """
    shown = steps[SHOWN]
    loss = Figure(**asdict(Resamples(len(order), seed).means((shown - order)[:, None])[0]))
    means = {step: float(values.mean()) for step, values in steps.items()}
    if loss.high >= 0 or -loss.mean < LOSS_SHARE_MIN * order.mean():
        return Shown(surface=name, loss=loss, steps=means, value=dict(surface.value), ignored=surface.ignored)
    before = [float(order.mean()), *means.values()]
    costs = {step: before[place] - mean for place, (step, mean) in enumerate(means.items())}
    named = [f"{surface.described(step)} takes {cost:.4f}" for step, cost in costs.items() if cost >= STEP_SHARE_MIN * -loss.mean]
    warning = (
        f"the list as surface {name} shows it is clearly below its order: {metric} {shown.mean():.4f} against {order.mean():.4f}; "
        f"{', '.join(named)}"
    )
    return Shown(surface=name, loss=loss, steps=means, value=dict(surface.value), ignored=surface.ignored, warning=warning)
