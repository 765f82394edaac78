"""What a worker, or another program, says of itself over HTTP on loopback."""

from __future__ import annotations

import urllib.error
import urllib.request


def ask(port: int, path: str) -> tuple[int, str]:
    """A program's answer on loopback, status and text; status 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def metric(port: int, name: str) -> int:
    """A worker's counter or gauge, over all its labels; 0 where nobody answers."""
    lines = ask(port, "metrics")[1].splitlines()
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"forewarn_{name}{{"))
