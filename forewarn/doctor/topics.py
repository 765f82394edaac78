"""Every topic as `forewarn topics check` judges it: partitions, compaction, retention, timestamps, copies."""

from __future__ import annotations

from typing import Final

from forewarn import topics
from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis

CHECK: Final = "topics"


def check(case: Case) -> list[Diagnosis]:
    """All findings of that check."""
    if not case.tells_settings:
        return []
    return [
        Diagnosis(CHECK, answer.topic, finding) for answer in topics.check(case.config) for finding in answer.findings
    ]
