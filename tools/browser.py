"""Find a Chromium for the browser tests, or install one.

usage: python -m tools.browser

Looks at the variable FO_BROWSER, then for an installed Chromium or Chrome, then tries Playwright's own download and
the system's package manager. Without any, the browser tests are skipped and the run says so at its end; where
CI=true that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"]
MAC_APPS = ["Google Chrome.app/Contents/MacOS/Google Chrome", "Chromium.app/Contents/MacOS/Chromium"]
DOWNLOAD_SECONDS = 180
INSTALL_SECONDS = 600
MISSING = (
    "NOT TESTED: the pages in a browser (console errors, phone width, accessibility, previews), because no "
    "Chromium was found.\nInstall Chromium or Chrome, or set FO_BROWSER to its path, and run `make test` again."
)


def find() -> str | None:
    """The path of a browser that is already here."""
    if chosen := os.environ.get("FO_BROWSER"):
        return shutil.which(chosen)
    for name in NAMES:
        if path := shutil.which(name):
            return path
    apps = [folder / app for folder in (Path("/Applications"), Path.home() / "Applications") for app in MAC_APPS]
    return next((str(path) for path in [*apps, *downloaded()] if path.is_file()), None)


def downloaded() -> list[Path]:
    """What Playwright has downloaded before."""
    from playwright.sync_api import sync_playwright  # takes half a second

    with sync_playwright() as playwright:
        return [Path(playwright.chromium.executable_path)]


def attempts() -> list[tuple[list[str], int]]:
    """Commands that may install a browser here, with the seconds each is given."""
    commands = [([sys.executable, "-m", "playwright", "install", "chromium"], DOWNLOAD_SECONDS)]
    if shutil.which("apt-get"):
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        commands += [
            ([*prefix, "apt-get", "update", "-qq"], INSTALL_SECONDS),
            ([*prefix, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], INSTALL_SECONDS),
        ]
    if shutil.which("brew"):
        commands.append((["brew", "install", "--cask", "chromium"], INSTALL_SECONDS))
    return commands


def attempt(command: list[str], seconds: int) -> None:
    """Run an installer quietly; that it failed shows in that no browser is found afterwards."""
    print("No browser yet; trying:", " ".join(Path(part).name for part in command), flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(
            command, env=environment, timeout=seconds, check=False, stdin=subprocess.DEVNULL, capture_output=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  did not work: {type(error).__name__}")


def find_or_install() -> str | None:
    path = find()
    if path is None and "FO_BROWSER" not in os.environ:
        for command, seconds in attempts():
            attempt(command, seconds)
            if path := find():
                break
    return path


def main() -> None:
    path = find_or_install()
    print(f"Browser for the tests: {path}" if path else MISSING)
    sys.exit(1 if path is None and os.environ.get("CI") == "true" else 0)


if __name__ == "__main__":
    main()
