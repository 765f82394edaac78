"""A real Chromium, driven by Playwright with the system's executable."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, Error, sync_playwright

from tests.harness.require import Missing

EXECUTABLES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

__all__ = ["Browser", "real_browser"]


@contextmanager
def real_browser() -> Iterator[Browser]:
    """Without a window and, since a container has none to give, without a sandbox. Raises `Missing`."""
    found = next((path for name in EXECUTABLES if (path := shutil.which(name))), None)
    if found is None:
        raise Missing("no Chromium on the path: install the package chromium")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=["--headless", "--no-sandbox"])
        except Error as error:
            raise Missing(f"{found} does not start: {error.message.splitlines()[0]}") from None
        try:
            yield browser
        finally:
            browser.close()
