"""`forewarn replay`: definitions, input, the product's own folds, output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from forewarn.console import ExitCode, UserError, progress, warn
from forewarn.replay.files import opened, written
from forewarn.replay.product import paced, product_folds
from forewarn.replay.replay import replay
from schemas.catalogue_log import CatalogueLog
from schemas.definitions import load
from sla.catalogue import Catalogue


def run(
    definitions: Sequence[Path],
    source: str | BinaryIO,
    output: str,
    *,
    tick_ms: int | None = None,
    until: int | None = None,
    cluster: str = "default",
) -> None:
    """Replay `source` (a path, `-` for standard input, or an open file) and write to `output` (a path or `-`).

    `tick_ms` replaces the step of decisions; `until` ends the replay earlier or later than the input. Whatever the
    input holds, this ends well. Definitions with errors, a file that is not there: a `UserError`.
    """
    base = paced(_checked(definitions), tick_ms)
    log = CatalogueLog(base)
    folds = product_folds(base, log, tick_ms, cluster)
    with progress("replaying"), opened(source) as lines, written(output) as write:
        replay(lines, write, folds, log.feed, step_ms=base.decide_every_ms, until=until)


def _checked(definitions: Sequence[Path]) -> Catalogue:
    loaded = load(definitions)
    if loaded.catalogue is None:
        for finding in loaded.findings:
            warn(str(finding))
        raise UserError(
            "the definitions have errors: nothing was replayed",
            "correct them; forewarn lint shows them",
            ExitCode.FINDING,
        )
    return loaded.catalogue
