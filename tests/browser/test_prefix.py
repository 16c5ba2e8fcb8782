"""The app behind a proxy that takes a path prefix away: nothing of it knows, and everything works."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.visitor import Visitor
from tests.system.serving import Served, eventually

PREFIX = "/team/gate"


class Proxy(BaseHTTPRequestHandler):
    """Passes on what is below the prefix, and streams what comes back."""

    upstream: int

    def _pass(self) -> None:
        if not self.path.startswith(PREFIX + "/"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        to = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        sent = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        to.request(self.command, self.path.removeprefix(PREFIX), body or None, sent)
        answer = to.getresponse()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()
        while piece := answer.read1(65536):
            self.wfile.write(piece)
            self.wfile.flush()
        to.close()
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

    def log_message(self, format: str, *args: object) -> None:
        pass


class Behind:
    """The served gateway, as the prefix shows it."""

    def __init__(self, served: Served, port: int) -> None:
        self.admin_key = served.admin_key
        self.address = f"http://127.0.0.1:{port}{PREFIX}"


@pytest.fixture
def behind(served: Served) -> Iterator[Behind]:
    handler = type("Here", (Proxy,), {"upstream": served.port})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    yield Behind(served, proxy.server_address[1])
    proxy.shutdown()
    proxy.server_close()
    thread.join(10)


def test_everything_works_behind_a_prefix(browser: object, behind: Behind) -> None:
    visitor = Visitor(browser, behind)  # type: ignore[arg-type]
    page = visitor.page
    visitor.open("/")
    page.wait_for_url(f"**{PREFIX}/signin")
    visitor.sign_in()
    visitor.ask("[[say: **Paris**]]")
    visitor.answered().get_by_label("Receipt:").click()
    page.wait_for_url(f"**{PREFIX}/usage/req_*")
    page.reload()
    page.get_by_role("heading", name="Line by line").wait_for()
    page.get_by_role("link", name="Console", exact=True).click()
    page.get_by_role("link", name="Budgets", exact=True).first.click()
    page.wait_for_url(f"**{PREFIX}/console/budgets")
    page.reload()
    page.get_by_role("heading", level=1, name="Budgets").wait_for()
    page.get_by_role("link", name="Catalogue", exact=True).click()
    page.get_by_role("heading", level=1, name="Catalogue").wait_for()
    eventually(lambda: f"{behind.address}/v1/models" in page.get_by_role("main").inner_text(), "its address is shown")
    page.get_by_label("Your account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("heading", name="Sign in to Conflux").wait_for()
    visitor.expected = "404"
    visitor.open("/nonsense/far/down")
    page.get_by_role("heading", name="There is no such page").wait_for()
    visitor.leave()
