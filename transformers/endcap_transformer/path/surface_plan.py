"""A surface made ready for requests: its sources with quota and deadline, bound once at start."""

from collections.abc import Mapping
from dataclasses import dataclass

from endcap.contracts.request import Instance
from endcap.core.errors import InvalidInput
from endcap.engine.surfaces.surface import Surface, Surfaces
from endcap_transformer.path.sources.registry import REMOTE
from endcap_transformer.path.sources.source import Find, Source


@dataclass(frozen=True)
class SurfacePlan:
    """One surface as the request path reads it.

    Attributes:
        name: the name requests give.
        sources: in the order of the file.
    """

    name: str
    surface: Surface
    sources: tuple[Source, ...]


def surface_plans(surfaces: Surfaces, registry: Mapping[str, Find], deadline_ms: float) -> dict[str, SurfacePlan]:
    """Bind every surface's sources.

    Args:
        surfaces: the configuration.
        registry: how each source finds its candidates, by name: `endcap_transformer.path.sources.registry`.
        deadline_ms: for sources without one of their own.
    """
    return {
        name: SurfacePlan(
            name,
            surface,
            tuple(
                Source(source, use.quota, use.deadline_ms or deadline_ms, registry[source], source in REMOTE)
                for source, use in surface.sources.items()
            ),
        )
        for name, surface in surfaces.surfaces.items()
    }


def plan_of(instance: Instance, plans: Mapping[str, SurfacePlan], place: int) -> SurfacePlan:
    """The plan of a request's surface.

    Raises:
        InvalidInput: there is no such surface, or it needs items that the request does not give.
    """
    plan = plans.get(instance.surface)
    if plan is None:
        allowed = ", ".join(f"'{name}'" for name in plans)
        raise InvalidInput(f"must be one of {allowed}", field=f"instances[{place}].surface", value=instance.surface)
    if plan.surface.items_required and not instance.item_ids:
        raise InvalidInput(f"item_ids is empty; surface {instance.surface} needs the page's item", field=f"instances[{place}]")
    return plan
