"""Records of a fleet: the same ones each time, cheap to make, with counts that differ as real ones do."""

from __future__ import annotations

from random import Random
from typing import Final

from bench.workload.fleet import SIGNAL, Fleet

BAD_SHARE: Final = 0.02  # of the records; of what they count some 0.01 %, so that few promises are in trouble
_VARIANTS: Final = 1009  # prime, so that a service meets them all


class Traffic:
    """Record number n of a fleet, whose services take turns in a shuffled order."""

    def __init__(self, fleet: Fleet, bad_share: float = BAD_SHARE) -> None:
        """`bad_share` is the share of records that count something bad."""
        random = Random(7)  # noqa: S311 - the same traffic each time
        services = fleet.services
        random.shuffle(services)
        self.keys = [service.encode() for service in services]
        self._heads = [
            f'{{"type":"counts","service":"{service}","signal":"{SIGNAL}","at":"'.encode() for service in services
        ]
        self._tails = [
            f'","good":{random.randrange(100, 400)},"bad":{int(random.random() < bad_share)}}}'.encode()
            for _ in range(_VARIANTS)
        ]

    def record(self, number: int, at: bytes) -> tuple[bytes, bytes]:
        """Key and value of a record that happened `at` (RFC 3339)."""
        index = number % len(self.keys)
        return self.keys[index], self._heads[index] + at + self._tails[number % _VARIANTS]
