// Chat Completions with the official SDK.

import assert from "node:assert/strict";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { group } from "./runner.mjs";
import {
  client,
  Event,
  MODEL,
  redPngUrl,
  user,
  WEATHER,
  WEATHER_SCHEMA,
  weather,
} from "./support.mjs";

const test = group("node chat");

const ask = (text, more) =>
  client.chat.completions.create({ model: MODEL, messages: [user(text)], ...more });

async function all(stream) {
  const chunks = [];
  for await (const chunk of await stream) chunks.push(chunk);
  return chunks;
}

test("a plain answer has text and usage", async () => {
  const completion = await ask("Say exactly hello there");
  assert.equal(completion.object, "chat.completion");
  assert.equal(completion.model, MODEL);
  assert.equal(completion.choices.length, 1);
  const [choice] = completion.choices;
  assert.equal(choice.index, 0);
  assert.equal(choice.finish_reason, "stop");
  assert.equal(choice.message.role, "assistant");
  assert.equal(choice.message.content, "hello there");
  const { prompt_tokens, completion_tokens, total_tokens } = completion.usage;
  assert.ok(prompt_tokens > 0 && completion_tokens > 0);
  assert.equal(total_tokens, prompt_tokens + completion_tokens);
});

test("a stream tells no usage unless asked", async () => {
  const chunks = await all(ask("Say exactly hello", { stream: true }));
  assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && !("usage" in chunk)));
  const text = chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join("");
  assert.equal(text, "hello");
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
});

test("a stream tells usage once when asked", async () => {
  const options = { stream: true, stream_options: { include_usage: true } };
  const chunks = await all(ask("Say exactly hello", options));
  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.total_tokens > 0);
  assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && chunk.usage === null));
});

test("the stream helper puts the answer together", async () => {
  const pieces = [];
  const stream = client.chat.completions.stream({ model: MODEL, messages: [user("Count to 12")] });
  stream.on("content", (delta) => pieces.push(delta));
  const content = await stream.finalContent();
  assert.equal(content, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12");
  assert.equal(pieces.join(""), content);
  const completion = await stream.finalChatCompletion();
  assert.equal(completion.choices[0].finish_reason, "stop");
});

test("reasoning is shown and may come back", async () => {
  const messages = [user("Say exactly first")];
  const first = await client.chat.completions.create({
    model: MODEL,
    messages,
    reasoning_effort: "high",
  });
  const [{ message }] = first.choices;
  assert.match(message.reasoning_content, /simulator/);
  assert.ok(first.usage.completion_tokens_details.reasoning_tokens > 0);
  messages.push(message, user("Say exactly second"));
  const second = await client.chat.completions.create({ model: MODEL, messages });
  assert.equal(second.choices[0].message.content, "second");
});

/** The tool as `runTools` wants it, noting what it was called with. */
function weatherTool(called) {
  return {
    type: "function",
    function: {
      name: "get_weather",
      description: WEATHER,
      parameters: WEATHER_SCHEMA,
      parse: JSON.parse,
      function: (given) => {
        called.push(given.city);
        return weather(given);
      },
    },
  };
}

for (const stream of [false, true]) {
  const how = stream ? "streaming" : "plain";

  test(`runTools calls a tool and uses its answer, ${how}`, async () => {
    const called = [];
    const runner = client.chat.completions.runTools({
      model: MODEL,
      messages: [user("What is the weather in Paris?")],
      tools: [weatherTool(called)],
      stream,
    });
    assert.match(await runner.finalContent(), /17\.25 degrees and drizzle in Paris/);
    assert.deepEqual(called, ["Paris"]);
  });

  test(`runTools answers parallel calls, ${how}`, async () => {
    const called = [];
    const runner = client.chat.completions.runTools({
      model: MODEL,
      messages: [user("What is the weather in Paris and in London?")],
      tools: [weatherTool(called)],
      stream,
    });
    const content = await runner.finalContent();
    assert.match(content, /drizzle in Paris[^]*drizzle in London/);
    assert.deepEqual(called, ["Paris", "London"]);
  });
}

test("structured output is parsed", async () => {
  const completion = await client.chat.completions.parse({
    model: MODEL,
    messages: [user("Plan a workshop in Paris for 2 people")],
    response_format: zodResponseFormat(Event, "event"),
  });
  Event.parse(completion.choices[0].message.parsed);
});

test("streamed structured output is parsed", async () => {
  const stream = client.chat.completions.stream({
    model: MODEL,
    messages: [user("Plan a talk in Rome")],
    response_format: zodResponseFormat(Event, "event"),
  });
  const completion = await stream.finalChatCompletion();
  Event.parse(completion.choices[0].message.parsed);
});

test("strict arguments are parsed", async () => {
  const parameters = z.object({ city: z.string(), guests: z.number().int() });
  const description = "Book a table in a restaurant";
  const completion = await client.chat.completions.parse({
    model: MODEL,
    messages: [user("Book a table in Rome for 4 guests")],
    tools: [zodFunction({ name: "book_table", description, parameters })],
  });
  const [call] = completion.choices[0].message.tool_calls;
  assert.deepEqual(call.function.parsed_arguments, { city: "Rome", guests: 4 });
});

test("an image is seen", async () => {
  const content = [
    { type: "text", text: "What is in the picture?" },
    { type: "image_url", image_url: { url: redPngUrl() } },
  ];
  const completion = await client.chat.completions.create({
    model: MODEL,
    messages: [user(content)],
  });
  assert.match(completion.choices[0].message.content, /1 image/);
});

test("an aborted stream harms nobody", async () => {
  const stream = await ask("Count to 2000", { stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0].delta.content) stream.controller.abort();
  }
  const completion = await ask("Say exactly still here");
  assert.equal(completion.choices[0].message.content, "still here");
});

test("the headers name the request and what had no effect", async () => {
  const { data, response } = await ask("Say exactly hello", { temperature: 0.2 }).withResponse();
  assert.equal(data._request_id, response.headers.get("x-request-id"));
  assert.equal(response.headers.get("x-codexway-dropped"), "temperature");
});

test("models are listed", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes(MODEL), ids);
  assert.equal((await client.models.retrieve(MODEL)).id, MODEL);
});
