"""The kinds of definitions and their documents: the envelope around each spec."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from schemas.definitions.agreement import AgreementSpec, ServiceSpec, SettingsSpec
from schemas.definitions.calendar import CalendarSpec
from schemas.definitions.fields import Name, Strict, wrong
from schemas.definitions.objective import ObjectiveSpec
from schemas.definitions.stakeholder import StakeholderSpec
from schemas.definitions.ticket_objective import TicketObjectiveSpec

API_VERSION: Final = "forewarn/v1"


class LintAllow(Strict):
    """Rules whose warnings this document does not want to hear, and why."""

    allow: Annotated[list[str], Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]


class Metadata(Strict):
    """What a document is called."""

    name: Name
    lint: LintAllow | None = None


class RenamableMetadata(Metadata):
    """What a document is called, and was called before: it keeps its windows and its key."""

    renamedFrom: Name | None = None  # noqa: N815 - as it is written

    @model_validator(mode="after")
    def _renamed_from_another(self) -> RenamableMetadata:
        if self.renamedFrom == self.name:
            raise wrong("renamedFrom is the present name: write the former one, or leave it out")
        return self


class Document(Strict):
    """What every document has."""

    apiVersion: Literal["forewarn/v1"]  # noqa: N815 - as it is written
    kind: str
    metadata: Metadata
    spec: Strict


class Objective(Document):
    """A target for an indicator over a window."""

    kind: Literal["Objective"]
    metadata: RenamableMetadata
    spec: ObjectiveSpec


class TicketObjective(Document):
    """A target for the working time of tickets."""

    kind: Literal["TicketObjective"]
    spec: TicketObjectiveSpec

    @model_validator(mode="before")
    @classmethod
    def _keeps_its_name(cls, written: Any) -> Any:
        """Of an Objective it is known: who writes it here is told more than that the field is not."""
        metadata = written.get("metadata") if isinstance(written, dict) else None
        if isinstance(metadata, dict) and metadata.get("renamedFrom") is not None:
            raise wrong("renamedFrom: the clocks of tickets cannot follow another name; keep the name or leave it out")
        return written


class Calendar(Document):
    """Hours that count."""

    kind: Literal["Calendar"]
    spec: CalendarSpec


class Agreement(Document):
    """Who promised what to whom."""

    kind: Literal["Agreement"]
    spec: AgreementSpec


class Service(Document):
    """What is delivered."""

    kind: Literal["Service"]
    spec: ServiceSpec = Field(default_factory=ServiceSpec)


class Stakeholder(Document):
    """Who is told."""

    kind: Literal["Stakeholder"]
    spec: StakeholderSpec


class Settings(Document):
    """How the detector runs."""

    kind: Literal["Settings"]
    spec: SettingsSpec = Field(default_factory=SettingsSpec)


Definition = Objective | TicketObjective | Calendar | Agreement | Service | Stakeholder | Settings

KINDS: Final[dict[str, type[Document]]] = {
    "Objective": Objective,
    "TicketObjective": TicketObjective,
    "Calendar": Calendar,
    "Agreement": Agreement,
    "Service": Service,
    "Stakeholder": Stakeholder,
    "Settings": Settings,
}
