"""What a coding agent is told about this gateway."""

import pytest

from conflux.faces.launch import CLIENTS

URL = "http://127.0.0.1:8080"


def test_claude_hears_all_by_its_environment() -> None:
    found = CLIENTS["claude"].launch(URL, "cf_live_x", "conflux/one", ["-p", "hi"], {"PATH": "/bin"})
    assert found.argv == ("claude", "-p", "hi")
    assert found.environment == {
        "PATH": "/bin",
        "ANTHROPIC_BASE_URL": URL,
        "ANTHROPIC_AUTH_TOKEN": "cf_live_x",
        "ANTHROPIC_MODEL": "conflux/one",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "conflux/one",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


def test_claude_is_not_shown_another_makers_key_and_chooses_its_model_where_nobody_did() -> None:
    found = CLIENTS["claude"].launch(URL, "cf_live_x", None, [], {"ANTHROPIC_API_KEY": "sk", "ANTHROPIC_MODEL": "m"})
    assert "ANTHROPIC_API_KEY" not in found.environment
    assert found.environment["ANTHROPIC_MODEL"] == "m"


def test_codex_hears_of_a_provider_and_its_key_is_on_no_process_list() -> None:
    found = CLIENTS["codex"].launch(URL, "cf_live_x", "conflux/one", ["exec", "hi"], {})
    assert found.argv[0] == "codex"
    assert found.argv[-2:] == ("exec", "hi")
    said = dict(one.split("=", 1) for one in found.argv[2:-2:2])
    assert said["model_provider"] == '"conflux"'
    assert said["model_providers.conflux.base_url"] == f'"{URL}/v1"'
    assert said["model_providers.conflux.wire_api"] == '"responses"'
    assert said["model"] == '"conflux/one"'
    assert found.environment == {"CONFLUX_KEY": "cf_live_x"}
    assert not any("cf_live_x" in one for one in found.argv)


@pytest.mark.parametrize("name", sorted(CLIENTS))
def test_each_says_how_it_is_installed(name: str) -> None:
    assert CLIENTS[name].install.startswith("npm install -g ")
