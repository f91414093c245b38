import json

import pytest

from endcap.features.store.open import with_waits


def parameters(address):
    """As Feast reads them."""
    given = dict(part.split("=", 1) for part in address.split(",")[1:])
    return {name: json.loads(value) for name, value in given.items()}


def test_waits_are_added_and_nothing_is_tried_again():
    assert with_waits("redis:6379", 0.015) == "redis:6379,socket_timeout=0.015,socket_connect_timeout=0.015,retry=null"


@pytest.mark.parametrize("seconds", [0.015, 1, 30.0])
def test_seconds_are_read_back_as_numbers(seconds):
    found = parameters(with_waits("redis:6379", seconds))
    assert found == {"socket_timeout": seconds, "socket_connect_timeout": seconds, "retry": None}


def test_what_the_address_says_itself_stays():
    found = with_waits('redis:6379,password="a=b",socket_connect_timeout=0.2', 0.015)
    assert found == 'redis:6379,password="a=b",socket_connect_timeout=0.2,socket_timeout=0.015,retry=null'
