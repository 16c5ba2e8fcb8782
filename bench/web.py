"""What somebody at a browser waits for, by the clock: `python -m bench.web`; keeps bench/results/web.md.

Law: the built app in real Chromium on a running gateway, both on this machine. Of each figure the best of several
rounds, since a neighbour only ever adds; the longest frame of an idle page stands beside the stream's, for what the
machine itself takes. Only a quiet machine tells; the tests assert the same by processor time.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.test_receipts import multiply
from tests.browser.visitor import Visitor, chromium
from tests.system.serving import Served

PLACE = Path(__file__).resolve().parent / "results" / "web.md"
_ROUNDS = 5
_STREAM = "[[stream: 2000 tokens at 200/s]]"
_SCRIPT = """() => performance.getEntriesByType('resource').filter(one => one.name.endsWith('.js'))
    .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
_FRAMES = """() => {
    window.frames_ = [];
    let before = performance.now();
    const step = now => { window.frames_.push(now - before); before = now; requestAnimationFrame(step); };
    requestAnimationFrame(step);
}"""
# The page's own clock when there is a field to type in; told to the console, as a tool that looks for it has a script
# of its own read on the way.
_READY = """new MutationObserver(() => {
    const field = document.querySelector('textarea[aria-label=Message]:enabled');
    if (field && !window.ready_) console.debug('ready', window.ready_ = performance.now());
}).observe(document, { subtree: true, childList: true, attributes: true })"""
# From the change of a filter to the moment its rows are painted.
_PAINTED = """([label, value, wanted]) => new Promise((done, failed) => {
    const field = [...document.querySelectorAll('label')].find(one => one.textContent === label).control;
    const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set;
    const began = performance.now();
    set.call(field, value);
    field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
    const look = () => {
        const rows = [...document.querySelectorAll('tbody tr')];
        if (rows.length && rows.every(one => one.textContent.includes(wanted))) done(performance.now() - began);
        else if (performance.now() - began > 10000) failed(new Error('never painted'));
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""


class Row(NamedTuple):
    what: str
    found: float
    most: float
    unit: str
    note: str = ""

    @property
    def kept(self) -> bool:
        return self.found <= self.most


@contextmanager
def served(name: str, many: int = 0) -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix=name) as folder:
        running = Served(Path(folder)).start()
        if many:
            admin = running.admin_key
            running.chat(running.key(name="busy"), "hello")
            running.stop()
            multiply(running.data / "conflux.db")
            running.start()
            running.ask("ledger.rebuild")
            running.printed.append(f"  admin key  {admin}")
        try:
            yield running
        finally:
            running.stop()


def first_page(browser: Browser) -> list[Row]:
    """Each round in a browser that has nothing of the app yet."""
    waited, weight = [], 0
    with served("first") as gateway:
        for _ in range(_ROUNDS):
            visitor = Visitor(browser, gateway)
            visitor.enter()
            visitor.page.add_init_script(_READY)
            with visitor.page.expect_console_message(lambda said: said.text.startswith("ready")):
                visitor.open("/chat")
            waited.append(float(visitor.page.evaluate("window.ready_")))
            weight = int(visitor.page.evaluate(_SCRIPT))
            visitor.context.close()
    return [
        Row("the chat can be typed in", min(waited), 1000, "ms", f"slowest of {_ROUNDS}: {max(waited):.0f} ms"),
        Row("script of the chat, gzip", weight / 1000, 250, "kB"),
    ]


def frames(page: Page) -> list[float]:
    found: list[float] = page.evaluate("window.frames_.splice(0).slice(1)")
    return found


def stream(browser: Browser) -> list[Row]:
    longest, idle, whole = [], [], True
    with served("stream") as gateway:
        for _ in range(2):
            visitor = Visitor(browser, gateway)
            page = visitor.page
            visitor.enter()
            visitor.open("/chat")
            visitor.ask("[[say: warm]]")
            visitor.answered()
            page.evaluate(_FRAMES)
            page.wait_for_timeout(3_000)
            idle.append(max(frames(page)))
            visitor.ask(_STREAM)
            answer = page.locator("article[aria-label^=Answer]").nth(1)
            answer.get_by_label("Receipt:").wait_for(timeout=60_000)
            longest.append(max(frames(page)))
            whole = whole and len(answer.locator("[data-markdown] p").first.inner_text().split()) == 2000
            visitor.context.close()
    note = f"an idle page: {min(idle):.0f} ms; every token there: {'yes' if whole else 'no'}"
    return [Row("longest frame, 2,000 tokens at 200 a second", min(longest), 100 if whole else -1, "ms", note)]


def table(browser: Browser) -> list[Row]:
    """From the change of a filter to its painted rows, less the quarter of a second in which typing may go on."""
    wishes = [("Ending", "failed", "failed", 0), ("Model", "model-3", "model-3", 250)]
    rows = []
    with served("many", many=1) as gateway:
        visitor = Visitor(browser, gateway)
        visitor.enter()
        for label, value, wanted, pause in wishes:
            took = []
            for _ in range(3):
                visitor.open("/console/requests")
                visitor.page.locator("tbody tr").nth(49).wait_for()
                took.append(_painted(visitor.page, label, value, wanted) - pause)
            rows.append(Row(f"100,000 receipts, {label.lower()} {value}", min(took), 200, "ms"))
        visitor.context.close()
    return rows


def _painted(page: Page, *wish: str) -> float:
    return float(page.evaluate(_PAINTED, list(wish)))


def report(rows: list[Row]) -> str:
    lines = [
        "# The web app by the clock",
        "",
        f"Chromium and the gateway on one machine, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
        " Made by `python -m bench.web`.",
        "",
        "| what | found | at most | kept | |",
        "| --- | ---: | ---: | --- | --- |",
        *(
            f"| {one.what} | {one.found:.0f} {one.unit} | {one.most:.0f} {one.unit} |"
            f" {'yes' if one.kept else 'no'} | {one.note} |"
            for one in rows
        ),
    ]
    return "\n".join(lines) + "\n"


PARTS: dict[str, Any] = {"first": first_page, "stream": stream, "table": table}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="first, stream, table; none: all, and kept")
    chosen = parser.parse_args().part
    rows: list[Row] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        for name in chosen or PARTS:
            rows += PARTS[name](browser)
        browser.close()
    told = report(rows)
    if not chosen:
        PLACE.write_text(told, encoding="utf-8")
    print(told)
    return int(not all(one.kept for one in rows))


if __name__ == "__main__":
    raise SystemExit(main())
