"""The rollout operator's image: it starts and says how."""

from images.dry_build import DryBuild
from tests.images.image_run import assert_sound, succeed

IMAGE = "rollout-operator"


def test_the_image_holds_its_lock_and_lets_nothing_be_changed(build: DryBuild) -> None:
    assert_sound(build, "rollout-operator")


def test_it_says_how_it_is_started(build: DryBuild) -> None:
    assert "usage:" in succeed(build, "python", "-m", "services.rollout_operator", "--help")
