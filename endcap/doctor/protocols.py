"""One harmless question to each store in its own protocol: is it the store, and does it let us in."""

import base64
import re
import ssl
import struct
from typing import Any

from endcap.core.errors import EndcapError
from endcap.doctor.reach import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, connected

MILVUS_VERSION = "/milvus.proto.milvus.MilvusService/GetVersion"
API_VERSIONS, CORRELATION = 18, 7
"""Kafka's request for the versions of its protocol, and the number that its answer must repeat."""


class Refused(EndcapError):
    """The store answers, and not as the release needs it."""


def channel_credentials(authority: str | None) -> Any:
    """TLS for gRPC, with an authority of one's own or the system's."""
    import grpc

    return grpc.ssl_channel_credentials(authority.encode() if authority else None)


def ask_milvus(host: str, port: int, credentials: Any, token: str | None, *, is_withheld: bool) -> str:
    """Its version.

    Args:
        credentials: of gRPC; None for a channel in plain text.
        is_withheld: there is a token, and it may not be read here.

    Raises:
        Unreachable: nothing listens.
        Refused: what listens is no Milvus, or does not take the token.
    """
    import grpc

    with connected(host, port):
        pass  # tells a name that is not known here from a connection that is refused
    address = f"{host}:{port}"
    channel = grpc.secure_channel(address, credentials) if credentials else grpc.insecure_channel(address)
    metadata = (("authorization", base64.b64encode(token.encode()).decode()),) if token else ()
    try:
        with channel:
            answer: bytes = channel.unary_unary(MILVUS_VERSION)(b"", metadata=metadata, timeout=CONNECT_TIMEOUT_S + READ_TIMEOUT_S)
    except grpc.RpcError as error:
        code, details = error.code().name, error.details() or ""
        if code == "UNAUTHENTICATED" and is_withheld:
            return "answers, and wants the token, which may not be read here"
        fix = "check milvus.auth" if code == "UNAUTHENTICATED" else "check milvus.host, milvus.port and milvus.tls"
        raise Refused(f"it answers {code}: {details[:200]}", fix=fix) from error
    version = re.search(rb"v?\d+\.\d+\.\d+[\w.-]*", answer)
    return f"Milvus {version.group().decode()}" if version else "Milvus answers"


def ask_redis(host: str, port: int, tls: ssl.SSLContext | None, password: str | None, *, is_withheld: bool) -> str:
    """What it answers to PING, after AUTH where there is a password.

    Args:
        is_withheld: there is a password, and it may not be read here.

    Raises:
        Unreachable: nothing listens.
        Refused: what listens is no Redis, or does not take the password.
    """
    with connected(host, port, tls) as connection:
        try:
            if password:
                sent = password.encode()
                connection.sendall(b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(sent), sent))
                answer = connection.recv(512)
                if not answer.startswith(b"+OK"):
                    raise Refused(f"it does not take the password: {_line(answer)}", fix="check the secret of redis.auth or redis.address")
            connection.sendall(b"*1\r\n$4\r\nPING\r\n")
            answer = connection.recv(512)
        except OSError as error:
            raise Refused(f"it listens and does not answer PING: {error}", fix="check redis.port and redis.tls") from error
    if answer.startswith(b"+PONG"):
        return "answers PING"
    if answer.startswith(b"-NOAUTH"):
        if is_withheld:
            return "answers, and wants the password, which may not be read here"
        raise Refused("it wants a password, and the values name none", fix="name its secret in redis.auth.secretName")
    raise Refused(f"what listens is no Redis: {_line(answer)}", fix="check redis.host, redis.port and redis.tls")


def ask_kafka(host: str, port: int, *, is_plain: bool) -> str:
    """Whether a broker answers for the versions of its protocol.

    Args:
        is_plain: without TLS and SASL; else only the connection is tried.

    Raises:
        Unreachable: nothing listens.
        Refused: what listens is no Kafka broker.
    """
    with connected(host, port) as connection:
        if not is_plain:
            return "listens; how to log in is in kafka.clientConfig, so that it was not asked more"
        client = b"endcap-doctor"
        request = struct.pack(">hhih", API_VERSIONS, 0, CORRELATION, len(client)) + client
        try:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(512)
        except OSError as error:
            raise Refused(f"it listens and does not answer: {error}", fix="check kafka.bootstrap; TLS needs kafka.clientConfig") from error
    if len(answer) >= 8 and struct.unpack(">i", answer[4:8])[0] == CORRELATION:
        return "a broker answers"
    raise Refused("what listens is no Kafka broker without TLS", fix="check kafka.bootstrap; TLS and SASL need kafka.clientConfig")


def _line(answer: bytes) -> str:
    return answer.split(b"\r\n")[0][:120].decode("utf-8", "replace") or "it closes the connection"
