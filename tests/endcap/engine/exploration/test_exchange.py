import numpy as np
import pytest

from endcap.engine.exploration.exchange import FirstTwoExchange
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.placements import Cap, Pin, Placements
from endcap.engine.slate.slate import Slate, SlotKind

SCORE = np.linspace(1, 0.1, 8, dtype=np.float32)
EVERYBODY = np.zeros(8, dtype=np.int32)


def lists(share: float, placements: Placements | None = None, k: int = 4, count: int = 2_000) -> list[Slate]:
    placements = placements or Placements()
    ranked = assemble(SCORE, k, placements=placements)
    return [FirstTwoExchange(share, np.random.default_rng(seed)).apply(ranked, ranked, 1.0, placements) for seed in range(count)]


def test_a_share_of_the_lists_has_its_first_two_places_exchanged_and_says_so() -> None:
    made = lists(0.1)
    swapped = [slate for slate in made if slate.kind[0] is SlotKind.SWAPPED]
    assert len(swapped) / len(made) == pytest.approx(0.1, abs=0.03)
    assert {tuple(slate.rows.tolist()) for slate in swapped} == {(1, 0, 2, 3)}
    assert swapped[0].kind == (SlotKind.SWAPPED, SlotKind.SWAPPED, SlotKind.RANKED, SlotKind.RANKED)
    assert swapped[0].score.tolist() == SCORE[[1, 0, 2, 3]].tolist()
    assert swapped[0].propensity.tolist() == pytest.approx([0.1, 0.1, 1, 1])
    stayed = next(slate for slate in made if slate.kind[0] is SlotKind.RANKED)
    assert stayed.propensity.tolist() == pytest.approx([0.9, 0.9, 1, 1])


def test_a_list_whose_second_place_explores_stays_as_it_is() -> None:
    ranked = assemble(SCORE, 4)
    explored = Slate(
        np.array([0, 7, 2, 3], np.int32),
        np.array([1, 0.02, 1, 1], np.float32),
        (SlotKind.RANKED, SlotKind.EXPLORED, *ranked.kind[2:]),
        ranked.rule,
        ranked.penalty,
        ranked.score,
        ranked.score_after,
    )
    for seed in range(50):
        found = FirstTwoExchange(0.49, np.random.default_rng(seed)).apply(ranked, explored, 0.8, Placements())
        assert found.rows.tolist() == [0, 7, 2, 3]
        assert found.propensity.tolist() == pytest.approx([1 - 0.49 * 0.8, 0.02, 1, 1])


@pytest.mark.parametrize(
    "placements",
    [Placements(caps=(Cap("first", EVERYBODY, 1, 1),)), Placements(pins=(Pin("pin", 1, EVERYBODY == 0),))],
    ids=["a cap on the first place", "a pin"],
)
def test_what_a_rule_decides_about_the_first_places_stays(placements: Placements) -> None:
    assert all(slate.propensity[0] == 1 and SlotKind.SWAPPED not in slate.kind for slate in lists(0.4, placements, count=50))


@pytest.mark.parametrize(("share", "k"), [(0.0, 4), (0.4, 1), (0.4, 0)])
def test_without_a_share_or_a_second_place_nothing_is_exchanged(share: float, k: int) -> None:
    assert all((slate.propensity == 1).all() for slate in lists(share, k=k, count=50))
