"""The configuration of a local Milvus: the wheel's template with our folders, and ports of 127.0.0.1 that are free."""

import json
import random
from pathlib import Path
from typing import Any

from endcap.core.ports import LOOPBACK, is_free

STOP_TIMEOUT_S = 5.0
SESSION_TTL_S = 10
"""After a kill, the next start takes the old parts for living ones for this long."""

_IMPATIENT = {"checkSegmentInterval": 200, "checkChannelInterval": 200, "distPullInterval": 100}
"""Milliseconds between two looks at what is to be loaded; a server of its own need not wait for other machines."""

_ONE_SEGMENT = {"maxSize": 2_048, "sealProportion": 1.0}
"""Megabytes of rows in a segment, and how full it is when it is closed: a search pays for every segment it looks into, and a million
items of 64 dimensions, 280 MB, are in one. By default they would be in three, to be merged and indexed again when searches already run."""

_PARTS = ("rootCoord", "queryCoord", "queryNode", "indexNode", "dataCoord", "dataNode")
_PORT_KEYS = (*_PARTS, "proxyInternal", "etcd", "etcdPeer", "metrics")
_PORTS_FROM, _PORTS_TO = 20_000, 32_000
"""Below the range from which Linux gives ports to outgoing connections, so that a port is still free at the next start."""


def internal_ports(folder: Path) -> dict[str, int]:
    """Ports that the parts of one server talk to each other on, the same as last time while they are free.

    Milvus finds its parts' last addresses in its own etcd; when those have changed, a start takes a minute instead of seconds.
    """
    remembered = folder / "ports.json"
    if remembered.is_file():
        ports: dict[str, int] = json.loads(remembered.read_text(encoding="utf-8"))
        if set(ports) == set(_PORT_KEYS) and all(is_free(port) for port in ports.values()):
            return ports
    shuffled = random.Random().sample(range(_PORTS_FROM, _PORTS_TO), k=_PORTS_TO - _PORTS_FROM)
    ports = dict(zip(_PORT_KEYS, (port for port in shuffled if is_free(port)), strict=False))
    folder.mkdir(parents=True, exist_ok=True)
    remembered.write_text(json.dumps(ports), encoding="utf-8")
    return ports


def write_config(folder: Path, port: int, ports: dict[str, int], *, asks_for_token: bool = False) -> Path:
    """Render the wheel's template with our ports and folders.

    Args:
        folder: where everything of this server lives.
        port: of the gRPC endpoint that clients use.
        ports: what `internal_ports` gave.
        asks_for_token: whether calls without a user's token are refused; a new server knows `root:Milvus`.
    """
    import yaml
    from milvus import MilvusServerConfig

    template = MilvusServerConfig(data_dir=str(folder))
    template.resolve()
    config_file = folder / "configs" / "milvus.yaml"
    config: dict[str, Any] = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    for part in _PARTS:
        config[part] |= {"ip": LOOPBACK, "port": ports[part]}
    config["proxy"] |= {"ip": LOOPBACK, "port": port, "internalPort": ports["proxyInternal"]}
    config["proxy"]["http"]["enabled"] = False
    config["etcd"]["endpoints"] = f"{LOOPBACK}:{ports['etcd']}"
    config["etcd"]["config"] = {"path": str(folder / "configs" / "etcd.yaml")}
    config["queryNode"]["segcore"]["interimIndex"]["enableIndex"] = False
    config["queryCoord"] |= _IMPATIENT
    config["dataCoord"]["segment"] |= {"assignmentExpiration": 300, **_ONE_SEGMENT}
    config["log"]["level"] = "warn"
    config["common"]["security"] = {**(config["common"].get("security") or {}), "authorizationEnabled": asks_for_token}
    config["common"] |= {"gracefulStopTimeout": int(STOP_TIMEOUT_S), "session": {"ttl": SESSION_TTL_S, "retryTimes": 30}}
    config_file.write_text(yaml.safe_dump(config), encoding="utf-8")
    client_url, peer_url = f"http://{LOOPBACK}:{ports['etcd']}", f"http://{LOOPBACK}:{ports['etcdPeer']}"
    etcd = {
        "name": "default",
        "listen-client-urls": client_url,
        "advertise-client-urls": client_url,
        "listen-peer-urls": peer_url,
        "initial-advertise-peer-urls": peer_url,
        "initial-cluster": f"default={peer_url}",
    }
    (folder / "configs" / "etcd.yaml").write_text(yaml.safe_dump(etcd), encoding="utf-8")
    return config_file
