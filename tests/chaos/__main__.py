"""`python -m tests.chaos`: a real Kafka, workers that are killed, frozen and cut off, and the laws that hold then."""

from __future__ import annotations

import argparse
import sys
import time

from tests.chaos.faults import DEFAULT, DRAWN, plan
from tests.chaos.report import lines
from tests.chaos.run import run

MINUTES = 40.0


def counts_of(text: str) -> dict[str, int]:
    """`kill=5,join=2`."""
    found = {}
    for pair in text.split(","):
        kind, _, count = pair.partition("=")
        if kind not in DRAWN or not count.isdigit():
            raise argparse.ArgumentTypeError(f"{pair!r} is no KIND=COUNT; kinds are {', '.join(DRAWN)}")
        found[kind] = int(count)
    return found


def tell(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


def main() -> int:
    """Exit code 0: no law is broken; 1: some are."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the schedule")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="no act begins later than this")
    parser.add_argument("--faults", type=counts_of, default=DEFAULT, help="kill=50,join=5,… instead of the usual plan")
    parser.add_argument("--session", type=float, default=10.0, help="FOREWARN_SESSION_TIMEOUT in seconds")
    parser.add_argument("--static", action="store_true", help="with FOREWARN_STATIC_MEMBERSHIP")
    chosen = parser.parse_args()
    acts = plan(chosen.seed, chosen.faults, chosen.session)
    found = run(
        acts,
        seed=chosen.seed,
        minutes=chosen.minutes,
        session_s=chosen.session,
        is_static=chosen.static,
        tell=tell,
    )
    sys.stdout.write("".join(f"{line}\n" for line in lines(found)))
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
