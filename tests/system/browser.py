"""A headless Chromium, driven through WebDriver: what a person sees and does in a web page."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import wait_for

#: The longest that the browser may take for one command, in seconds.
TIMEOUT = 240

#: How WebDriver writes the control key.
_CONTROL = "\ue009"

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing() -> str:
    """What this machine lacks for a browser, as the reason of a skip; "" when all is there."""
    lacking = [p for p in ("chromium", "chromedriver") if shutil.which(p) is None]
    return f"{' and '.join(lacking)} not installed" if lacking else ""


class WebDriverError(Exception):
    """The browser could not do it: no such element, covered by another one, ..."""


class Browser:
    """A browser with a profile of its own.

    Parameters
    ----------
    width, height : int
        Of the window, in pixels.
    scale : float
        Pixels of the screen for each of these.
    """

    def __init__(self, width: int = 1500, height: int = 950, scale: float = 1) -> None:
        self.profile = tempfile.mkdtemp(prefix="draco-browser-", dir="/tmp")
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "HOME": self.profile},
            start_new_session=True,
        )
        self.session = ""
        options = [
            "--headless=new",
            "--no-sandbox",  # root has none, and containers none for users; the pages are our own
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={self.profile}",
            f"--window-size={width},{height}",
            f"--force-device-scale-factor={scale}",
        ]
        try:
            self.url = f"http://127.0.0.1:{self._port()}/session"
            chrome = {"args": options, "binary": shutil.which("chromium")}
            wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": chrome}}}
            self.session = self._send("POST", "", wanted)["sessionId"]
            self.resize(width, height)
        except BaseException:
            self.__exit__()
            raise

    def _port(self) -> int:
        assert self.driver.stdout is not None
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                return int(line.rsplit("port", 1)[1].strip(" .\n"))
        raise WebDriverError("chromedriver does not start")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        try:
            if self.session:
                self.command("DELETE", "")
        except (OSError, WebDriverError):
            pass
        self.driver.terminate()
        self.driver.wait(TIMEOUT)
        assert self.driver.stdout is not None
        self.driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _send(self, verb: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body if body is not None else {}).encode()
        request = urllib.request.Request(
            f"{self.url}{path}",
            data if verb == "POST" else None,
            {"Content-Type": "application/json"},
            method=verb,
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as exc:
            value = json.load(exc)["value"]
            raise WebDriverError(f"{value['error']}: {value['message']}") from None

    def command(self, verb: str, path: str, body: Any = None) -> Any:
        """Send a command of WebDriver about this session."""
        return self._send(verb, f"/{self.session}/{path}".rstrip("/"), body)

    def open(self, url: str) -> None:
        """Go to a page."""
        self.command("POST", "url", {"url": url})

    def resize(self, width: int, height: int) -> None:
        """Let the page have this size; the window's frame comes on top."""
        frame = self.script("return [outerWidth - innerWidth, outerHeight - innerHeight]")
        rect = {"width": width + frame[0], "height": height + frame[1]}
        self.command("POST", "window/rect", rect)

    def script(self, code: str, *arguments: Any) -> Any:
        """Run JavaScript in the page; returns what it returns."""
        return self.command("POST", "execute/sync", {"script": code, "args": list(arguments)})

    def find(self, css: str, label: str = "") -> str:
        """An element that shows, by its selector and a part of its text.

        Raises
        ------
        WebDriverError
            When there is none.
        """
        code = (
            "return [...document.querySelectorAll(arguments[0])].find(e =>"
            " e.getClientRects().length && e.innerText.includes(arguments[1])) || null"
        )
        element = self.script(code, css, label)
        if element is None:
            raise WebDriverError(f"the page has no {css} with {label!r}")
        return element[_ELEMENT]

    def click(self, css: str, label: str = "", timeout: float = TIMEOUT) -> None:
        """Click with the mouse, as soon as there is something to click."""
        self._insist(
            lambda: self.command("POST", f"element/{self.find(css, label)}/click"),
            f"click on {css} {label}",
            timeout,
        )

    def fill(self, css: str, text: str) -> None:
        """Type into a field, in place of what it has."""
        element = self._insist(lambda: self.find(css), f"the field {css}")
        self.command("POST", f"element/{element}/value", {"text": _CONTROL + "a"})
        self.command("POST", f"element/{element}/value", {"text": text})

    def type(self, text: str) -> None:
        """Type where the cursor is."""
        strokes = [{"type": t, "value": key} for key in text for t in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": strokes}
        self.command("POST", "actions", {"actions": [keyboard]})

    def wait_for(self, code: str, what: str, timeout: float = TIMEOUT) -> None:
        """Wait until this JavaScript expression is true in the page."""

        def holds() -> bool:
            try:
                return self.script(f"return !!({code})")
            except WebDriverError:  # a part of the page is just being loaded
                return False

        wait_for(holds, what, timeout, pause=0.2)

    def _insist(self, action: Callable[[], Any], what: str, timeout: float = TIMEOUT) -> Any:
        """Do it as soon as it is possible; returns what the action returned."""
        why = ""

        def attempt() -> tuple[Any] | None:
            nonlocal why
            try:
                return (action(),)
            except WebDriverError as exc:
                why = str(exc).splitlines()[0]
                return None

        try:
            return wait_for(attempt, what, timeout, pause=0.2)[0]
        except AssertionError as exc:
            raise AssertionError(f"{exc} ({why})") from None

    def screenshot(self, path: Path, css: str = "") -> None:
        """Save what the window shows, or one element of it, as PNG."""
        where = f"element/{self.find(css)}/screenshot" if css else "screenshot"
        path.write_bytes(base64.b64decode(self.command("GET", where)))
