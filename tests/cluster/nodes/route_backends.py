"""Where a rule of an HTTPRoute sends requests: Services by weight, and the ready endpoints of each.

https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule says: a request whose backend has no endpoint is answered 503; its share goes
to none of the others. Endpoints that are not ready, such as those of pods that are being deleted, get no new requests.
"""

import random

from tests.cluster.nodes.node_api import Document

SERVICE_LABEL = "kubernetes.io/service-name"


class RouteBackends:
    """The state that a gateway has of a rule.

    Args:
        rule: its name.
        chance: draws backend and endpoint.
    """

    def __init__(self, rule: str, chance: random.Random) -> None:
        self._rule = rule
        self._chance = chance
        self._weights: dict[str, int] = {}
        self._slices: dict[str, tuple[str, tuple[str, ...]]] = {}

    def change_route(self, route: Document) -> None:
        rule = next(each for each in route["spec"]["rules"] if each.get("name") == self._rule)
        self._weights = {each["name"]: each.get("weight", 1) for each in rule.get("backendRefs") or ()}

    def change_slice(self, kind: str, found: Document) -> None:
        uid = found["metadata"]["uid"]
        if kind == "DELETED":
            self._slices.pop(uid, None)
            return
        ready = [each for each in found.get("endpoints") or () if each.get("conditions", {}).get("ready") is not False]
        addresses = tuple(address for each in ready for address in each["addresses"])
        self._slices[uid] = (found["metadata"].get("labels", {}).get(SERVICE_LABEL, ""), addresses)

    def endpoints(self, service: str) -> list[str]:
        """Addresses of the pods that get requests; none while the rule sends it nothing."""
        if not self._weights.get(service):
            return []
        return sorted({address for owner, addresses in self._slices.values() if owner == service for address in addresses})

    def choose(self) -> str | None:
        """Address of the pod for one request; None when its backend has none."""
        if not any(self._weights.values()):
            return None
        (service,) = self._chance.choices(list(self._weights), list(self._weights.values()))
        endpoints = self.endpoints(service)
        return self._chance.choice(endpoints) if endpoints else None
