"""The name that a worker gives itself before the broker: it tells its version, which the doctor reads there."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

_PREFIX: Final = "forewarn-"


def own_version() -> str:
    """The version of Forewarn that runs here."""
    return version("forewarn")


def client_id() -> str:
    """What a worker of this version is called."""
    return f"{_PREFIX}{own_version()}"


def version_of(client: str) -> str:
    """The version of whoever is called so; what is no name of ours stands for itself."""
    return client.removeprefix(_PREFIX)
