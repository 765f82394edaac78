"""Where code that connects by itself may lead: what the operating system is asked for is looked at, not a name."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from notifiers.addresses import AddressRefused, Guard
from notifiers.connections import watched
from notifiers.protocol import Failed
from tests.notifiers.channels import LOOPBACK, rig_of


async def test_a_name_that_changes_between_the_look_and_the_connection_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with rig_of("apprise", Guard()) as rig:
        look, looked = socket.getaddrinfo, []

        def resolve(host: str, port: Any, *more: Any, **named: Any) -> Any:
            if host != "rebinding.example":
                return look(host, port, *more, **named)
            looked.append(host)
            address = "93.184.216.34" if len(looked) == 1 else "127.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        outcome = await rig.hand_over(rig.url.replace("127.0.0.1", "rebinding.example"))
        assert isinstance(outcome, Failed)
        assert "FOREWARN_CHANNELS_ALLOW" in outcome.detail
        assert len(looked) > 1  # Apprise asked again, and got another answer
        assert rig.receiver.requests == []


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (("127.0.0.1", 9), "FOREWARN_CHANNELS_ALLOW"),
        (("::ffff:169.254.169.254", 80, 0, 0), "FOREWARN_CHANNELS_ALLOW"),
        ("/run/other.sock", "FOREWARN_CHANNELS_ALLOW"),
        (("localhost", 514), "write its address instead"),
    ],
)
def test_an_address_is_refused_however_it_is_asked_for(place: Any, why: str) -> None:
    family = {str: socket.AF_UNIX}.get(type(place), socket.AF_INET6 if len(place) == 4 else socket.AF_INET)
    with socket.socket(family, socket.SOCK_DGRAM) as own:
        for ask in (own.connect, own.connect_ex, lambda to: own.sendto(b"x", to)):
            with watched(Guard()) as watch, pytest.raises(AddressRefused):
                ask(place)
            assert why in (watch.why_refused or "")


def test_only_who_is_watched_is_refused_and_what_is_allowed_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        with watched(Guard(LOOPBACK)), socket.create_connection(place):
            pass
        with socket.create_connection(place):
            pass
