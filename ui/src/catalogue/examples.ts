/** How a model is selected by each client, filled in with this gateway's address. docs/clients.md runs the same. */
import { gateway } from '~/base';

export type Example = { id: string; title: string; language: string; code: string };

export function examplesOf(model: string, mount: string, base: string = gateway): Example[] {
  const root = base + (mount === '/' ? '' : mount);
  return [
    {
      id: 'curl',
      title: 'curl',
      language: 'sh',
      code: `curl ${root}/v1/chat/completions \\
  -H "Authorization: Bearer $CONFLUX_KEY" -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Review this API design."}]}'`,
    },
    {
      id: 'python',
      title: 'Python',
      language: 'python',
      code: `import os
from openai import OpenAI

client = OpenAI(base_url="${root}/v1", api_key=os.environ["CONFLUX_KEY"])
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Review this API design."}],
)
print(answer.choices[0].message.content)`,
    },
    {
      id: 'typescript',
      title: 'TypeScript',
      language: 'ts',
      code: `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${root}/v1', apiKey: process.env.CONFLUX_KEY });
const answer = await client.chat.completions.create({
  model: '${model}',
  messages: [{ role: 'user', content: 'Review this API design.' }],
});
console.log(answer.choices[0].message.content);`,
    },
    {
      id: 'claude',
      title: 'Claude Code',
      language: 'sh',
      code: `export ANTHROPIC_BASE_URL=${root}
export ANTHROPIC_AUTH_TOKEN=$CONFLUX_KEY
claude --model ${model}`,
    },
    {
      id: 'codex',
      title: 'Codex CLI',
      language: 'toml',
      code: `# ~/.codex/config.toml, then: codex --model ${model}
model_provider = "conflux"

[model_providers.conflux]
name = "Conflux"
base_url = "${root}/v1"
env_key = "CONFLUX_KEY"
wire_api = "responses"`,
    },
  ];
}
