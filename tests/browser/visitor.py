"""Somebody at a browser: opens pages, signs in, asks, and notices whatever goes wrong on the page."""

import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.house.tree import ROOT
from tests.system.serving import Served

PATIENCE = 60_000  # milliseconds that pass only where something is broken, or a machine has much else to do
SECRET = "correct horse battery"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# What axe-core need not look at: the first dozen of many rows or cards stand for those after them.
MANY = ["tbody tr:nth-child(n+13)", "main section:nth-of-type(n+13)"]
# Words that are cut off within their own box, or stand beyond the window's edge where nothing can be scrolled to them.
_CUT = """() => {
    const own = one => [...one.childNodes].some(part => part.nodeType === 3 && part.textContent.trim());
    const scrolls = one => !!one && (['auto', 'scroll'].includes(getComputedStyle(one).overflowX)
        || scrolls(one.parentElement));
    const cut = one => {
        const style = getComputedStyle(one);
        return ['hidden', 'clip'].includes(style.overflowX) && style.textOverflow !== 'ellipsis'
            && one.scrollWidth > one.clientWidth + 1 && !one.closest('[class*=SegmentedControl]');
    };
    const beyond = one => one.getBoundingClientRect().right > innerWidth + 1 && !scrolls(one.parentElement);
    return [...document.querySelectorAll('main *, header *, [role=dialog] *')]
        .filter(one => one.offsetParent && own(one) && (cut(one) || beyond(one)))
        .map(one => one.textContent.slice(0, 60));
}"""
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"


def chromium() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Visitor:
    def __init__(self, browser: Any, served: Served, *, scheme: str = "light", width: int = 1280) -> None:
        self.served = served
        self.context = browser.new_context(
            viewport={"width": width, "height": 820},
            color_scheme=scheme,
            reduced_motion="reduce",
            bypass_csp=False,
            locale="en-GB",
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.troubles: list[str] = []
        self.expected = "(?!)"  # what the console may say all the same
        self.page.on("pageerror", lambda error: self.troubles.append(f"threw: {error}"))
        self.page.on("console", self._said)
        self.page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.troubles.append(f"console: {message.text} ({message.location.get('url', '')}, on {self.page.url})")

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc != urlsplit(self.served.address).netloc:
            self.troubles.append(f"asked elsewhere: {request.url}")

    def leave(self) -> None:
        self.context.close()
        bad = [one for one in self.troubles if not re.search(self.expected, one)]
        assert bad == [], bad

    def open(self, path: str) -> None:
        self.page.goto(self.served.address + path)

    def go(self, path: str) -> None:
        """To another page of the app, as a link within it does: nothing is loaded anew."""
        self.page.evaluate("path => history.pushState({}, '', new URL(path, document.baseURI))", path.lstrip("/"))

    def enter(self, user: str | None = None) -> None:
        """Signed in without the form: with the admin's key, or as a user of acme."""
        who = (
            {"key": self.served.admin_key} if user is None else {"workspace": "acme", "user": user, "password": SECRET}
        )
        answer = self.context.request.post(self.served.address + "/admin/api/v1/session", data=who)
        assert answer.status == 201, answer.text()

    def sign_in(self) -> None:
        """Through the form, with the admin's key."""
        self.open("/signin")
        self.page.get_by_placeholder("cf_live_…").fill(self.served.admin_key)
        self.page.locator("form button[type=submit]").click()
        self.page.get_by_label("Message", exact=True).wait_for()

    def ask(self, text: str) -> None:
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.get_by_label("Send").click()

    def answered(self) -> Any:
        """The last answer, once its price is known."""
        last = self.page.locator("article[aria-label^=Answer]").last
        last.get_by_label("Receipt:").wait_for()
        return last

    def cut(self) -> list[str]:
        """Words that somebody cannot read on the page as it is."""
        found: list[str] = self.page.evaluate(_CUT)
        return found

    def findings(self) -> list[str]:
        """What axe-core finds serious or worse on the page as it is."""
        if self.page.evaluate("typeof axe") == "undefined":
            self.page.evaluate(Path(AXE).read_text())
        found = self.page.evaluate(
            "async many => (await axe.run({exclude: many}, {resultTypes: ['violations']})).violations", MANY
        )
        return [
            f"{one['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
