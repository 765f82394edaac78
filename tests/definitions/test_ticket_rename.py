from __future__ import annotations

from pathlib import Path

from tests.definitions.documents import SURROUNDINGS, load_text

TICKETS = """
apiVersion: forewarn/v1
kind: TicketObjective
metadata: {name: fixed, renamedFrom: mended}
spec: {service: payments, metric: resolution, target: 4h, when: {priority: [P1]}, stop: {state: [resolved]}}
"""


def test_a_promise_on_tickets_that_is_renamed_is_refused_and_not_begun_anew_in_silence(tmp_path: Path) -> None:
    said = [str(finding) for finding in load_text(tmp_path, TICKETS, SURROUNDINGS).findings]
    assert [line for line in said if "renamedFrom" in line and "keep the name" in line], said
    kept = load_text(tmp_path, TICKETS.replace(", renamedFrom: mended", ""), SURROUNDINGS)
    assert kept.catalogue is not None
