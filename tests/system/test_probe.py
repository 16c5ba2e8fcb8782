"""`conflux probe` as an owner meets it: a provider that sees and calls tools, kept over a restart, and no server."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conflux.routing.swatches import COLOURS, swatch
from tests.system.serving import Served

PICTURES = {swatch(colour): colour for colour in COLOURS}


class Provider(http.server.BaseHTTPRequestHandler):
    """Sees, calls tools, and knows nothing of schemas."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, answer = 200, self.answer(body)
        if "response_format" in body:
            status, answer = 400, {"error": {"message": "response_format is unavailable now"}}
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        said = body["messages"][0]["content"]
        message: dict[str, Any] = {"role": "assistant", "content": "I see nothing."}
        if isinstance(said, list):
            message["content"] = PICTURES[said[1]["image_url"]["url"]]
        elif "tools" in body:
            word = json.dumps({"word": said.rstrip(".").split()[-1]})
            message["tool_calls"] = [{"id": "c", "type": "function", "function": {"name": "echo", "arguments": word}}]
        return {"id": "a", "object": "chat.completion", "created": 1, "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 3, "total_tokens": 103}}  # fmt: skip

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        text = f'[[provider]]\nid = "acme"\nbase_url = "http://127.0.0.1:{server.server_port}/v1"\n'
        text += 'dialect = "openai-chat"\n[[pool]]\nid = "acme"\n[[pool.target]]\nprovider = "acme"\nmodel = "m"\n'
        text += (
            'cost = { input = "1", output = "1" }\n[[model]]\nstorefront = "conflux"\nid = "acme/m"\npool = "acme"\n'
        )
        text += 'context = 8000\ncapabilities = ["text", "tools"]\nprice = { input = "1", output = "2" }\n'
        yield Served(tmp_path, text)
        server.shutdown()
        thread.join()


def test_what_was_found_is_told_beside_what_is_stated_and_kept(served: Served) -> None:
    served.start()
    try:
        done = served.run("probe", "acme/m", "--json")
        assert done.returncode == 0, done
        found = {row["capability"]: row for row in json.loads(done.stdout)["probes"]}
        said = {name: (row["holds"], row["stated"], row["questioned"]) for name, row in found.items()}
        assert said == {"vision": ("yes", "no", True), "tools": ("yes", "yes", False),
                        "structured_outputs": ("no", "no", False)}  # fmt: skip
        assert found["vision"]["cost_usd"] == "0.000412" and len(found["vision"]["evidence"]) == 4
        assert "response_format is unavailable" in found["structured_outputs"]["evidence"][-1]
        assert "vision: yes" in served.run("probe", "acme/m", "--capability", "vision").stdout
        served.stop()
        served.start()
        (shown,) = json.loads(served.run("models", "show", "acme/m", "--json").stdout)["models"]
        assert [row["capability"] for row in shown["probes"]] == ["structured_outputs", "tools", "vision"]
        assert shown["capabilities"] == ["text", "tools"]  # the owner's word stands
        assert served.run("ledger", "verify").returncode == 0
    finally:
        served.stop()


def test_without_a_server_what_is_known_is_shown_and_nobody_asked(served: Served) -> None:
    served.run("models", "list")
    done = served.run("probe", "acme/m")
    assert done.returncode != 0 and "no server runs here" in done.stderr
    assert json.loads(served.run("probe", "--json").stdout) == {"probes": []}
