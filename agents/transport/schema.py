"""Raw batches: what the consumer hands out is what the agent gets."""

from __future__ import annotations

from typing import Any

from faust import Schema


class BatchSchema(Schema):  # type: ignore[misc, type-arg, unused-ignore]
    """Leaves a batch as it is; Faust's codecs would walk through its records one by one."""

    def loads_key(self, *_args: Any, **_kwargs: Any) -> None:
        """A batch has no key of its own."""
        return

    def loads_value(self, _app: Any, message: Any, **_kwargs: Any) -> Any:
        """The records, as the consumer put them there."""
        return message.value
