"""Rule: ports of the predictor's Service.

Observed: "Services: port `grpc` gets `appProtocol: kubernetes.io/h2c`." The first declared port is reached at 80, others at their own
number.
"""

from typing import Any

GRPC = "grpc"
H2C = "kubernetes.io/h2c"


def service_port(declared: dict[str, Any], first: bool) -> dict[str, Any]:
    """The Service's port for one of a container's."""
    name = declared.get("name")
    return {
        **({"name": name} if name else {}),
        **({"appProtocol": H2C} if name == GRPC else {}),
        "port": 80 if first else declared["containerPort"],
        "targetPort": declared["containerPort"],
        "protocol": declared.get("protocol", "TCP"),
    }
