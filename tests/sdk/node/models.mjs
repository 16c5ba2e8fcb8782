// What openai-node makes of the lists: `node models.mjs BASE_URL KEY ID` prints it as JSON.
import OpenAI from "openai";

const [baseURL, apiKey, id] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 30_000 });
const refused = async (call) => {
  try {
    await call();
    return null;
  } catch (error) {
    return { name: error.constructor.name, status: error.status, code: error.code ?? null, requestID: error.requestID };
  }
};

const listed = [];
for await (const model of client.models.list()) listed.push(model);
const page = await client.models.list();
console.log(
  JSON.stringify({
    listed,
    page: page.data.map((model) => model.id),
    object: page.object,
    retrieved: await client.models.retrieve(id),
    unknown: await refused(() => client.models.retrieve("nobody/nothing")),
    stranger: await refused(() => client.withOptions({ apiKey: "cf_live_nonsense" }).models.list()),
  }),
);
