from starlette.types import Message

from endcap_transformer.server.http_layers import send_answer


async def test_an_answer_says_what_it_is_and_how_long() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await send_answer(send, 429, b'{"error":"no"}', ((b"retry-after", b"1"),))
    await send_answer(send, 200, b"", media=b"text/plain")
    assert sent == [
        {
            "type": "http.response.start",
            "status": 429,
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"14"), (b"retry-after", b"1")],
        },
        {"type": "http.response.body", "body": b'{"error":"no"}'},
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain"), (b"content-length", b"0")]},
        {"type": "http.response.body", "body": b""},
    ]
