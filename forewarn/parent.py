"""Child processes: ended when asked, and when their parent ends, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from typing import Any, Final

POLL_S: Final = 0.5
_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """Ask Linux to kill this process when the thread that started it ends; elsewhere does nothing.

    Meant as `preexec_fn` of a child that a main thread starts and that cannot watch its parent by itself.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def end(process: subprocess.Popen[Any], *, within_s: float) -> None:
    """SIGTERM, SIGKILL once the deadline has passed, and reap it; fine if it has ended already."""
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def watch_parent() -> None:
    """End this process within half a second after its parent ended; works on every system."""
    parent = os.getppid()

    def watch() -> None:
        pause = threading.Event()
        while os.getppid() == parent:
            pause.wait(POLL_S)
        os._exit(0)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()
