"""A timetable laid over a dataset, and whether what it leaves is enough for each model."""

from dataclasses import dataclass

from endcap.contracts.training_plan import Timetable
from endcap.training.data_profile import REPEAT_SHARE_MIN, Objective
from endcap.training.moments import Moments
from endcap.training.planning.purchase_log import EarlyPurchases, Trainable
from endcap.training.planning.timetables import ALL_OF_IT

ITEMS_MIN = 10
"""Trainable items a model needs: among fewer there is little to choose."""
EXAMPLES_MIN = 50
"""People at snapshots that a two-tower with the objective window needs."""
SEQUENCES_MIN = 20
"""People with two purchases that one with the objective next_item needs."""
WINDOW_PEOPLE_MIN = 20
"""People that the ranker needs in every window; a tenth of them is held out for calibration."""
LABELLED_MIN = 5
"""People with a purchase in the windows' days that the ranker needs."""
VISITS_MIN = 20
"""Visits of two events after the first window that a ranker needs which learns what comes next in them."""
JUDGED_MIN = 10
"""People with purchases on both sides of the cut; of fewer no figure means anything."""
BASKETS_MIN = 3
"""Baskets or people with two items, for what is bought together."""

MIN_BUYERS = (5, 4, 3, 2, 1)
"""Tried in this order."""
MIN_BUYERS_OF_STEPS = (1,)
"""Of data that knows an order only: sets that are published so are thinned out already, and lists are judged among all their items."""
COVERED_MIN = 0.5
"""Share of the purchases that trainable items must have: of a long tail little is left at five buyers an item."""


@dataclass(frozen=True)
class Cut:
    """A timetable laid over the data, and what it leaves to learn from."""

    times: Timetable
    moments: Moments
    people: int
    is_typed: bool
    items: Trainable
    trainable: int
    judged: int
    examples: int
    early: EarlyPurchases
    window_people: int
    labelled: int
    visits: int
    """That began between the first window and the cut; 0 where times are not known."""

    @property
    def usual_objective(self) -> Objective:
        if self.items.by == "interactions":
            return "next_item"
        return "window" if self.early.repeat_share >= REPEAT_SHARE_MIN else "next_item"

    @property
    def objective(self) -> Objective | None:
        """The usual one where there is enough for it, else the other."""
        if not self.moments.windows or self.trainable < ITEMS_MIN:
            return None
        possible: dict[Objective, bool] = {
            "window": bool(self.moments.snapshots) and self.examples >= EXAMPLES_MIN,
            "next_item": self.early.sequences >= SEQUENCES_MIN,
        }
        others: tuple[Objective, ...] = ("window", "next_item")
        return next((each for each in (self.usual_objective, *others) if possible[each]), None)

    @property
    def ranks(self) -> bool:
        enough = self.window_people >= WINDOW_PEOPLE_MIN and self.labelled >= LABELLED_MIN and self.trainable >= ITEMS_MIN
        return bool(self.moments.windows) and enough

    @property
    def ranks_visits(self) -> bool:
        """Whether a ranker can learn from visits what it cannot from purchases."""
        return not self.ranks and self.objective == "next_item" and self.items.by == "interactions" and self.visits >= VISITS_MIN

    @property
    def models(self) -> int:
        return (self.objective is not None) + self.ranks

    @property
    def worth(self) -> tuple[bool, bool, bool, int, bool, int]:
        """What is better than another: models that can be judged, then lists that can, then models; else nothing is kept for it.

        Where there is more than purchases, models that nobody's purchases can judge are better than lists without one, and the more they
        see the better.
        """
        judged, models = self.judged, self.models
        then = models > 0 if self.is_typed else judged > 0
        seen = self.early.sequences if self.is_typed and not self.ranks and not judged else 0
        return models > 0 and judged >= JUDGED_MIN, models > 0 and judged > 0, then, models, self.times == ALL_OF_IT, seen

    @property
    def is_whole(self) -> bool:
        return self.models == 2 and self.judged >= JUDGED_MIN
