"""The listening sockets."""

import socket

import pytest

from demarc.platform.processes import tcp, udp


@pytest.mark.parametrize("make", [tcp, udp])
def test_a_port_that_is_taken_is_named(make):
    with make("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            make("127.0.0.1", port)


def test_a_port_is_free_again_as_soon_as_it_is_closed():
    with tcp("127.0.0.1", 0) as first:
        address = first.getsockname()
        with socket.create_connection(address), first.accept()[0]:
            pass
    with tcp(*address) as second:
        assert second.getsockname() == address


def test_datagrams_have_a_larger_buffer_than_usual():
    with (
        udp("127.0.0.1", 0) as made,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as usual,
    ):
        size = made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert size >= usual.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize("make", [tcp, udp])
def test_addresses_may_be_of_either_family(make):
    try:
        with make("::1", 0) as made:
            assert made.family == socket.AF_INET6
    except OSError:
        pytest.skip("no IPv6 here")
