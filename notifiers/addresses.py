"""Where channels may lead: not to this machine, not to its link, not to a cloud's metadata, unless that is allowed.

The address is looked at where the socket is made, so a name cannot change between the look and the connection.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

Network = Any  # ipaddress has no common type for both families' networks
Address = IPv4Address | IPv6Address

METADATA: Final = frozenset(
    ip_address(text) for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
"""Metadata services that are not link-local: Azure's, Alibaba's, Oracle's, Amazon's and Google's by IPv6."""
_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressRefused(OSError):  # noqa: N818 - aiohttp passes on what is an OSError
    """The channel leads to an address that is not allowed. Says the same for each address, so that it stays one."""

    def __init__(self) -> None:
        super().__init__(
            "the channel leads to an address of this machine, its link or a metadata service; allow it by its network "
            "in FOREWARN_CHANNELS_ALLOW if that is meant"
        )


class Guard:
    """Which addresses channels may connect to."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        """`allowed` are networks that pass whatever they are."""
        self._allowed = tuple(allowed)

    def refuses(self, text: str) -> bool:
        """Whether an address must not be connected to."""
        address = _plain(ip_address(text.partition("%")[0]))
        if any(address in network for network in self._allowed if network.version == address.version):
            return False
        return (
            address.is_loopback
            or address.is_link_local
            or address.is_unspecified
            or address.is_multicast
            or (address.is_reserved and address not in _NAT64)
            or address in METADATA
        )

    def socket_for(self, found: tuple[Any, ...]) -> socket.socket:
        """A socket for one answer of the resolver; raises `AddressRefused`."""
        family, kind, protocol, _, place = found
        if self.refuses(str(place[0])):
            raise AddressRefused
        made = socket.socket(family, kind, protocol)
        made.settimeout(0)
        return made

    async def connected(self, host: str, port: int) -> socket.socket:
        """A socket that is connected to the first address of a name that answers; raises an OSError."""
        loop = asyncio.get_running_loop()
        last: OSError = OSError(f"{host} has no address")
        for found in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                made = self.socket_for(found)
            except OSError as error:
                last = error
                continue
            try:
                await loop.sock_connect(made, found[4])
            except BaseException as error:
                made.close()
                if not isinstance(error, OSError):
                    raise
                last = error
            else:
                return made
        raise last


def _plain(address: Address) -> Address:
    """The IPv4 address inside of an IPv6 one, where there is one."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address


def parse_networks(text: str) -> tuple[Network, ...]:
    """`127.0.0.0/8, ::1`; raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
