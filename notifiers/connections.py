"""Connections that the code of others makes: each address is looked at when the operating system is asked for it.

Python tells an audit hook of a connection before it is made, with the address and not the name, and a hook that raises
prevents it (PEP 578). So a name that changes its address between a look and the connection gains nothing. A hook is of
the whole process and stays; this one minds threads that are watched. It cannot know which thread started another.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import local
from typing import Any, Final

from notifiers.addresses import AddressRefused, Guard

_CONNECTS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_UNSEEN: Final = "the service sends to a name that it looks up by itself: write its address instead"


class Watch:
    """What may be connected to meanwhile, and why something was refused, if it was."""

    def __init__(self, guard: Guard) -> None:
        self.why_refused: str | None = None
        self._guard = guard

    def look_at(self, address: Any) -> None:
        """An address as the operating system gets it; raises `AddressRefused`."""
        if address is None:
            return  # of a socket that is connected already
        try:
            host = str(address[0]) if isinstance(address, tuple) else ""  # a path is a socket of this machine
            if host and not self._guard.refuses(host):
                return
            self.why_refused = str(AddressRefused())
        except ValueError:
            self.why_refused = _UNSEEN
        raise AddressRefused


_here: Final = local()


@contextmanager
def watched(guard: Guard) -> Iterator[Watch]:
    """All that this thread connects to meanwhile is looked at."""
    _hook()
    watch = _here.watch = Watch(guard)
    try:
        yield watch
    finally:
        del _here.watch


@cache
def _hook() -> None:
    sys.addaudithook(_audit)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event in _CONNECTS:
        watch: Watch | None = getattr(_here, "watch", None)
        if watch is not None:
            watch.look_at(args[1])
