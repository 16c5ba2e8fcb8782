// The OpenAPI document as a page. Everything is put in as text, so nothing in it can run.
"use strict";

function make(tag, text, ...children) {
  const found = document.createElement(tag);
  if (text) found.textContent = text;
  found.append(...children);
  return found;
}

function named(schema, all) {
  if (schema && schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return [name, all[name]];
  }
  return ["", schema];
}

function kind(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(kind).join(" or ");
  if (schema.type === "array") return "list of " + kind(schema.items);
  return schema.type || "any";
}

function fields(title, schema, all) {
  const [name, found] = named(schema, all);
  if (!found || !found.properties) return make("p", title + ": " + kind(schema));
  const table = make("table");
  for (const [field, one] of Object.entries(found.properties)) {
    const needed = (found.required || []).includes(field) ? "" : "optional";
    table.append(make("tr", "", make("td", "", make("code", field)), make("td", kind(one)), make("td", needed),
      make("td", one.description || "")));
  }
  return make("section", "", make("h4", title + " " + name), table);
}

function route(path, method, one, all) {
  const head = make("summary", "", make("b", method.toUpperCase()), make("code", path), make("small", one.summary));
  const body = make("div", "", make("p", one.description || one.summary));
  body.append(make("p", "Takes: " + one["x-conflux-rule"].replace("_", " ") + ". Id: " + one.operationId));
  const asked = make("table");
  for (const said of one.parameters || []) {
    asked.append(make("tr", "", make("td", "", make("code", said.name)), make("td", said.in), make("td", kind(said.schema)),
      make("td", said.description || "")));
  }
  if (asked.children.length) body.append(make("h4", "Parameters"), asked);
  if (one.requestBody) body.append(fields("Body:", one.requestBody.content["application/json"].schema, all));
  for (const [status, said] of Object.entries(one.responses)) {
    const json = said.content && said.content["application/json"];
    if (status.startsWith("2") && json) body.append(fields(status + ":", json.schema, all));
    else body.append(make("p", status + ": " + said.description));
  }
  const found = make("details", "", head, body);
  found.dataset.words = (path + " " + method + " " + one.summary + " " + one.operationId).toLowerCase();
  return found;
}

async function show() {
  const main = document.getElementById("routes");
  try {
    const said = await (await fetch("openapi.json")).json();
    document.getElementById("about").textContent = said.info.description;
    main.textContent = "";
    const tags = new Map();
    for (const [path, methods] of Object.entries(said.paths)) {
      for (const [method, one] of Object.entries(methods)) {
        const tag = one.tags[0];
        if (!tags.has(tag)) tags.set(tag, make("section", "", make("h2", tag)));
        tags.get(tag).append(route(path, method, one, said.components.schemas));
      }
    }
    main.append(...tags.values());
  } catch (error) {
    main.textContent = "The document could not be read: " + error;
  }
}

document.getElementById("find").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const one of document.querySelectorAll("details")) one.hidden = !one.dataset.words.includes(wanted);
});
show();
