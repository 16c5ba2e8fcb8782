"""Prices fail closed: what is wrong is refused with its place, what is not priced does not run on a paying key, and a
rate is the receipt's own for ever."""

from pathlib import Path

from tests.system.fixtures import Starter
from tests.system.serving import Served
from tests.system.upstreams import Upstreams

WRONG = """
[[rate]]
currency = "ABC"
date = "2026-11-01"

[[plan]]
id = "endless"
storefront = "llmbase"

[[model]]
storefront = "conflux"
id = "acme/artefact"
pool = "gpt-4o-mini"
price = { input = "0.30000000000000004", output = "1" }

[[model]]
storefront = "conflux"
id = "acme/number"
pool = "gpt-4o-mini"
price = { input = 0.1, output = "1" }

[[model]]
storefront = "conflux"
id = "acme/minus"
pool = "gpt-4o-mini"
price = { input = "-1", output = "1" }

[[model]]
storefront = "conflux"
id = "acme/nowhere"
pool = "gpt-4o-mini"
price = { input = "1", output = "1", currency = "XYZ" }
"""


def test_each_mistake_is_one_line_with_file_row_and_field(tmp_path: Path) -> None:
    served = Served(tmp_path, WRONG)
    for command in (("models", "list"), ("serve", "--port", "0")):
        ended = served.run(*command)
        assert ended.returncode == 2 and "Traceback" not in ended.stderr
        for line in (
            "gateway.toml: [[rate]] #1 ABC: usd: ",
            "gateway.toml: [[plan]] #1 endless: windows: ",
            "gateway.toml: [[model]] #1 conflux/acme/artefact: price.input: '0.30000000000000004' is finer",
            "gateway.toml: [[model]] #2 conflux/acme/number: price.input: ",
            "gateway.toml: [[model]] #3 conflux/acme/minus: price.input: '-1' is negative",
            "gateway.toml: [[model]] #4 conflux/acme/nowhere: price.currency: 'XYZ' has no [[rate]]",
        ):
            assert line in ended.stderr, (command, line, ended.stderr)


def config(port: int, rate: str, date: str) -> str:
    return f"""
[[storefront]]
id = "conflux"
fallback = false

[[rate]]
currency = "CNY"
usd = "{rate}"
date = "{date}"

[[provider]]
id = "house"
dialect = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"

[[pool]]
id = "acme"
[[pool.target]]
provider = "house"
model = "m"

[[model]]
storefront = "conflux"
id = "acme/yuan"
pool = "acme"
context = 100000
capabilities = ["text"]
price = {{ input = "100", output = "100", currency = "CNY" }}

[[model]]
storefront = "conflux"
id = "acme/unpriced"
pool = "acme"
context = 100000
capabilities = ["text"]
"""


def test_a_rate_stays_on_its_receipt_and_no_price_is_no_answer(start: Starter, upstreams: Upstreams) -> None:
    served = start(config(upstreams.sim.port, "0.14", "2026-11-01"))
    key, played = served.key(name="k"), served.key(name="t", test=True)
    calls = upstreams.received
    refused = served.chat(key, "Hello", model="acme/unpriced")
    assert refused.status == 503 and refused.json()["error"]["code"] == "model_not_priced"
    assert upstreams.received == calls
    assert served.chat(played, "Hello", model="acme/unpriced").status == 200, "a test key pays nothing"

    words = "Hello [[usage: prompt=100 completion=0]]"
    first = served.chat(key, words, model="acme/yuan")
    then = served.receipt(key, first)
    assert then["cost_usd"] == "0.0014" and then["price_version"].endswith("CNY=0.14@2026-11-01")
    served.config.write_text(config(upstreams.sim.port, "0.28", "2026-11-20"))
    served.ask("server.reload")
    second = served.receipt(key, served.chat(key, words, model="acme/yuan"))
    assert second["cost_usd"] == "0.0028" and second["price_version"].endswith("CNY=0.28@2026-11-20")
    assert served.receipt(key, first) == then
    assert served.run("ledger", "verify").returncode == 0
