"""Floor 1: wire protocols. A dialect is one name in this table."""

from conflux.dialects.anthropic_messages import AnthropicMessages
from conflux.dialects.base import Dialect
from conflux.dialects.embeddings import Embeddings
from conflux.dialects.gemini import Gemini
from conflux.dialects.openai_chat import OpenAIChat
from conflux.dialects.openai_completions import OpenAICompletions
from conflux.dialects.openai_responses import OpenAIResponses

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        OpenAIChat(),
        OpenAICompletions(),
        OpenAIResponses(),
        AnthropicMessages(),
        Gemini(),
        Embeddings(),
    )
}
