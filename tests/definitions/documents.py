"""Small YAML documents for tests: a good one of each kind, and a way to write them to a folder."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from schemas.definitions import Finding, Loaded, load

OBJECTIVE = """\
apiVersion: forewarn/v1
kind: Objective
metadata: {name: payments-availability}
spec:
  service: payments
  indicator: {type: ratio, signal: availability}
  target: 99.9%
  window: {rolling: 30d}
"""

SURROUNDINGS = """\
apiVersion: forewarn/v1
kind: Service
metadata: {name: payments}
spec: {owner: payments-team}
---
apiVersion: forewarn/v1
kind: Stakeholder
metadata: {name: on-call}
spec: {audience: oncall, watches: {services: [payments]}, channels: [console]}
"""


def objective(spec: str = "", *, name: str = "payments-availability", base: str = OBJECTIVE) -> str:
    """The good objective under a name, with more lines of spec (written without indentation)."""
    more = "".join(f"  {line}\n" for line in dedent(spec).strip().splitlines())
    return base.replace("payments-availability", name) + more


def load_text(folder: Path, *documents: str) -> Loaded:
    """Documents in one file, as `load` sees them."""
    file = folder / "definitions.yaml"
    file.write_text("---\n".join(dedent(each) for each in documents), encoding="utf-8")
    return load([file])


def told(loaded: Loaded) -> list[tuple[str, int | None]]:
    """Rule and line of each finding."""
    return [(finding.rule, finding.line) for finding in loaded.findings]


def only(loaded: Loaded) -> Finding:
    """The one finding."""
    (finding,) = loaded.findings
    return finding
