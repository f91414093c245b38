"""What is asked of a server whose model is called shop."""

from typing import Any

PREDICT = "/v1/models/shop:predict"
INFER = "/v2/models/shop/infer"
USER = {"name": "user_id", "shape": [1], "datatype": "BYTES"}
V2_BODY: dict[str, Any] = {"inputs": [USER | {"data": ["U1"]}], "outputs": [{"name": "item_id"}]}
BODY_SECONDS = 0.5
