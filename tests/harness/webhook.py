"""A webhook's other side, over loopback: counts what came, and behaves as it was told."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

HANG_S: Final = 600.0


def id_of(body: Mapping[str, Any]) -> str:
    """The message's id, which is its idempotency key."""
    return str(body["id"])


class Webhook:
    """Counts messages by `key`; answers each with `status` after `after_s`, or hangs until it is closed."""

    def __init__(
        self,
        after_s: float = 0.0,
        *,
        hangs: bool = False,
        status: HTTPStatus = HTTPStatus.OK,
        key: Callable[[Mapping[str, Any]], str] = id_of,
    ) -> None:
        """Listen on a free port."""
        self.seen: Counter[str] = Counter()
        self.came_at: dict[str, float] = {}  # by `time.monotonic`, the first time
        self.came_to: defaultdict[str, set[str]] = defaultdict(set)  # by the path that was called
        self._over = threading.Event()
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                now = time.monotonic()
                told = key(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                webhook.came_at.setdefault(told, now)
                webhook.came_to[self.path].add(told)
                webhook.seen[told] += 1
                webhook._over.wait(HANG_S if hangs else after_s)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; who hangs is let go."""
        del kind, error, trace
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
