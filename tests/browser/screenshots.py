"""The pictures of docs/images: the main pages, as somebody sees them who has just started.

Law: made by `./run screenshots` alone, over a gateway of its own with the simulator: anybody can make them anew.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.visitor import Visitor, chromium
from tests.house.tree import ROOT
from tests.system.serving import Served

FOLDER = ROOT / "docs" / "images"
ANSWER = """[[think: They want the idea first, then code.]] [[say: ## Merging overlapping intervals

Sort by start, then walk **once**: the cost is $O(n \\log n)$ for sorting.

```python
def merge(spans):
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1].end:
            merged[-1].end = max(end, merged[-1].end)  # grow
        else:
            merged.append(Span(start, end))
    return merged
```

| case | spans in | spans out |
|---|---:|---:|
| apart | 2 | 2 |
| nested | 2 | 1 |
]]"""


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        served = Served(Path(folder)).start()
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        try:
            for scheme, width in (("light", 1280), ("dark", 1280), ("light", 390)):
                shoot(Visitor(browser, served, scheme=scheme, width=width), scheme if width > 1000 else "phone")
        finally:
            browser.close()
            served.stop()


def shoot(visitor: Visitor, name: str) -> None:
    page = visitor.page
    visitor.sign_in()
    visitor.ask("How do I merge overlapping intervals in Python?")
    visitor.answered()
    visitor.ask(ANSWER)
    visitor.answered()
    page.locator("article[aria-label=You]").last.evaluate("one => one.remove()")  # the simulator's stage direction
    page.wait_for_timeout(600)
    page.screenshot(path=FOLDER / f"chat-{name}.png")
    for path, mark in (("catalogue", "table"), ("usage", ".u-over"), ("console/models", "table")):
        if name == "phone" and path != "catalogue":
            continue
        visitor.open("/" + path)
        page.locator(mark).first.wait_for()
        page.wait_for_timeout(600)
        page.screenshot(path=FOLDER / f"{path.split('/')[0]}-{name}.png")
    visitor.context.close()


if __name__ == "__main__":
    main()
