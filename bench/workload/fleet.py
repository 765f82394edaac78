"""Services and what is promised about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from schemas.definitions import load_documents
from sla.catalogue import Catalogue

SIGNAL: Final = "availability"
_WINDOWS: Final = ("30d", "7d", "28d", "14d", "10d", "21d", "3d", "29d", "5d", "2d")
_TARGETS: Final = ("99.9%", "99.5%", "99%", "99.7%", "98%", "99.8%", "97%", "99.6%", "96%", "95%")


@dataclass(frozen=True, slots=True)
class Fleet:
    """`promises_each` objectives for each service, which has one signal, of counts."""

    services_count: int
    promises_each: int
    decide_every: str = "1s"

    @property
    def services(self) -> list[str]:
        """Their names, which are the keys of their records."""
        return [f"service-{number:05d}" for number in range(self.services_count)]

    def documents(self) -> list[dict[str, Any]]:
        """The definitions. The first promise of a service is about 30 days, the others about other windows."""
        settings = {"kind": "Settings", "metadata": {"name": "detector"}, "spec": {"decideEvery": self.decide_every}}
        return [{"apiVersion": "forewarn/v1", **settings}, *self._objectives()]

    def _objectives(self) -> list[dict[str, Any]]:
        return [
            {
                "apiVersion": "forewarn/v1",
                "kind": "Objective",
                "metadata": {"name": f"{service}-promise-{number}"},
                "spec": {
                    "service": service,
                    "indicator": {"type": "ratio", "signal": SIGNAL},
                    "target": _TARGETS[number % len(_TARGETS)],
                    "window": {"rolling": _WINDOWS[number % len(_WINDOWS)]},
                },
            }
            for service in self.services
            for number in range(self.promises_each)
        ]

    def catalogue(self) -> Catalogue:
        """The definitions in force, for folds that run without a broker."""
        loaded = load_documents(self.documents())
        if loaded.catalogue is None:
            raise RuntimeError(f"the fleet's definitions are refused: {loaded.findings[0]}")
        return loaded.catalogue
