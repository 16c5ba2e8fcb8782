// What openai-node's stream helpers make of every model: `node streams.mjs BASE_URL KEY MODEL...` prints it as JSON.
import OpenAI from "openai";

const [baseURL, apiKey, ...models] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 30_000 });
const warnings = [];
process.on("warning", (warning) => warnings.push(String(warning)));
for (const level of ["warn", "error"]) console[level] = (...said) => warnings.push(said.join(" "));

const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather = { type: "function", function: { name: "weather", parameters: schema, strict: true } };
const flat = { type: "function", name: "weather", parameters: schema, strict: true };
const errands = '[[call: weather {"city": "Rome"}]] [[call: weather {"city": "Oslo"}]]';
const failed = async (call) => {
  try {
    await call();
    return null;
  } catch (error) {
    return { name: error.constructor.name, message: error.message };
  }
};

async function chat(model) {
  const user = (content) => [{ role: "user", content }];
  const text = client.chat.completions.stream({
    model,
    messages: user("Hello [[say: Grüße, 世界 👋]]"),
    stream_options: { include_usage: true },
  });
  const pieces = [];
  text.on("content", (piece) => pieces.push(piece));
  const said = await text.finalChatCompletion();
  const first = client.chat.completions.stream({ model, messages: user(errands), tools: [weather] });
  const called = await first.finalChatCompletion();
  const message = called.choices[0].message;
  const results = message.tool_calls.map((call, place) => ({
    role: "tool",
    tool_call_id: call.id,
    content: `${place} degrees`,
  }));
  const again = client.chat.completions.stream({
    model,
    messages: [...user(errands), message, ...results],
    tools: [weather],
  });
  const shape = { type: "json_schema", json_schema: { name: "place", schema, strict: true } };
  const shaped = client.chat.completions.stream({ model, messages: user("A city"), response_format: shape });
  // Heard at once: it may break before the others have ended.
  const broken = failed(() =>
    client.chat.completions
      .stream({ model, messages: user("[[stream: 30 at 200]] [[fail: error-event 20]]") })
      .finalChatCompletion(),
  );
  return {
    pieces: pieces.join(""),
    content: said.choices[0].message.content,
    finish: said.choices[0].finish_reason,
    usage: said.usage,
    calls: message.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
    calling: called.choices[0].finish_reason,
    after: (await again.finalChatCompletion()).choices[0].message.content,
    shaped: JSON.parse((await shaped.finalChatCompletion()).choices[0].message.content),
    broken: await broken,
  };
}

async function responses(model) {
  const kinds = [];
  const text = client.responses.stream({ model, input: "Hello [[say: Grüße, 世界 👋]]" });
  for await (const event of text) kinds.push(event.type);
  const said = await text.finalResponse();
  const called = await client.responses.stream({ model, input: errands, tools: [flat] }).finalResponse();
  const calls = called.output.filter((item) => item.type === "function_call");
  const results = calls.map((call, place) => ({
    type: "function_call_output",
    call_id: call.call_id,
    output: `${place} degrees`,
  }));
  const input = [{ role: "user", content: errands }, ...called.output, ...results];
  const after = await client.responses.stream({ model, input, tools: [flat] }).finalResponse();
  const form = { format: { type: "json_schema", name: "place", schema, strict: true } };
  const shaped = await client.responses.stream({ model, input: "A city", text: form }).finalResponse();
  const thought = await client.responses
    .stream({ model, input: "[[think: hm]] [[say: yes]]", reasoning: { effort: "low", summary: "auto" } })
    .finalResponse();
  return {
    first: kinds[0],
    last: kinds.at(-1),
    content: said.output_text,
    usage: said.usage,
    calls: calls.map((call) => [call.name, JSON.parse(call.arguments)]),
    after: after.output_text,
    shaped: JSON.parse(shaped.output_text),
    thought: thought.output.filter((item) => item.type === "reasoning").map((item) => item.summary[0]?.text),
    answered: thought.output_text,
  };
}

const found = {};
for (const model of models) found[model] = { chat: await chat(model), responses: await responses(model) };
console.log(JSON.stringify({ found, warnings }));
