import socket
from pathlib import Path

from endcap.release.index.milvus_config import LOOPBACK, internal_ports


def test_ports_stay_the_same_until_one_of_them_is_taken(tmp_path: Path) -> None:
    ports = internal_ports(tmp_path)
    assert internal_ports(tmp_path) == ports
    with socket.socket() as taken:
        taken.bind((LOOPBACK, next(iter(ports.values()))))
        taken.listen()
        assert not set(internal_ports(tmp_path).values()) & {taken.getsockname()[1]}
