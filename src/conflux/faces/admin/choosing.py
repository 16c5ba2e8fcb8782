"""The tables that help to choose a model, as the catalogue page shows them.

Law: data, in our own words; a model that is not in the catalogue any more is left out where it is shown.
"""

from typing import Any

STOREFRONT = "llmbase"
BY_TASK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Coding agents and tools", ("deepseek/deepseek-v4-flash", "z-ai/glm-5.1", "qwen/qwen3-coder")),
    ("Reasoning over long contexts", ("deepseek/deepseek-v4-pro", "deepseek/deepseek-v3.2", "moonshotai/kimi-k2.5")),
    ("Everyday work, fast", ("qwen/qwen3.5-9b", "qwen/qwen3.5-35b-a3b", "minimax/minimax-m2.5")),
)
BY_NEED: tuple[tuple[str, str], ...] = (
    ("Agent loops", "tools among its features; what cached input costs"),
    ("Extracting JSON", "json_mode or structured_outputs among its features"),
    ("Traces of reasoning", "reasoning among its features, reasoning_effort among its parameters"),
    ("Ranking, confidence", "logprobs among its features"),
    ("Pictures, documents", "image or file among what it takes"),
    ("Long documents", "context, longest output, price per token"),
)


def choosing(there: set[tuple[str, str]]) -> dict[str, Any]:
    """`there`: (storefront, id) of what the catalogue has."""
    return {
        "storefront": STOREFRONT,
        "by_task": [
            {"task": task, "models": [one for one in models if (STOREFRONT, one) in there]} for task, models in BY_TASK
        ],
        "by_need": [{"need": need, "look_at": look_at} for need, look_at in BY_NEED],
    }
