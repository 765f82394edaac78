"""The clock of ticks and markers: real time, or the demo's, which runs faster from a given instant on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, Self

NANOS_PER_MS: Final = 1_000_000

# Log time between two ticks stays below the 10 s from which on nobody was watching: 20 ms of real time * 400 = 8 s.
SPEED_MAX: Final = 400
REAL_INTERVAL_MS_MIN: Final = 20


def real_ms() -> int:
    """Epoch milliseconds of this machine."""
    return time.time_ns() // NANOS_PER_MS


@dataclass(frozen=True, slots=True)
class LogClock:
    """log time = `start_at` + (real - `real_start_at`) * `speed`; all instants are epoch milliseconds.

    Only the timestamps of ticks and markers come from here; a broker that stamps append time overrules them. Without
    `real_start_at` both clocks agree at `start_at`, so that processes started one after the other share one clock.
    """

    start_at: int = 0
    speed: int = 1
    real_start_at: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """`start_ms,speed` or `start_ms,speed,real_start_ms`."""
        try:
            numbers = [int(part) for part in text.split(",")]
            start_at, speed, real_start_at = numbers if len(numbers) == 3 else (*numbers, numbers[0])  # noqa: PLR2004
        except ValueError:
            raise ValueError("must be start_ms,speed or start_ms,speed,real_start_ms, all whole numbers") from None
        if not 1 <= speed <= SPEED_MAX:
            raise ValueError(f"the speed must be 1 to {SPEED_MAX}")
        return cls(start_at, speed, real_start_at)

    def at(self, real_at: int) -> int:
        """Log time at an instant of real time."""
        return self.start_at + (real_at - self.real_start_at) * self.speed

    def now(self) -> int:
        """Log time now."""
        return self.at(real_ms())

    def spacing_ms(self, step_ms: int) -> int:
        """Log time between two ticks: the step, or as many whole steps as a real 20 ms take."""
        needed_ms = REAL_INTERVAL_MS_MIN * self.speed
        return step_ms if needed_ms <= step_ms else -(-needed_ms // step_ms) * step_ms

    def due(self, last_at: int | None, spacing_ms: int) -> list[int]:
        """The instants to tick at now, ascending: the last whole multiple of the spacing that has passed.

        In fast motion also those that were missed since `last_at`: a real second late would be minutes of log time in
        which nobody was watching. In real time a late tick is a gap, and stays one.
        """
        newest = self.now() // spacing_ms * spacing_ms
        if last_at is not None and newest <= last_at:
            return []
        if self.speed == 1 or last_at is None:
            return [newest]
        return list(range(last_at + spacing_ms, newest + 1, spacing_ms))

    def real_s_until(self, log_at: int) -> float:
        """Real seconds until an instant of log time; 0 when it has passed."""
        return max(0, log_at - self.now()) / self.speed / 1000
