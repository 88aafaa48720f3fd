// Responses with the official SDK.

import assert from "node:assert/strict";
import { zodResponsesFunction, zodTextFormat } from "openai/helpers/zod";
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

const test = group("node responses");

const TOOL = {
  type: "function",
  name: "get_weather",
  description: WEATHER,
  parameters: WEATHER_SCHEMA,
  strict: true,
};

const ask = (input, more) => client.responses.create({ model: MODEL, input, ...more });

const streamed = (input, more) =>
  client.responses.stream({ model: MODEL, input, ...more }).finalResponse();

const answers = (response) =>
  response.output
    .filter((item) => item.type === "function_call")
    .map((call) => ({
      type: "function_call_output",
      call_id: call.call_id,
      output: weather(JSON.parse(call.arguments)),
    }));

test("a string is answered", async () => {
  const response = await ask("Say exactly hello there");
  assert.equal(response.object, "response");
  assert.equal(response.status, "completed");
  assert.equal(response.model, MODEL);
  assert.equal(response.output_text, "hello there");
  const { input_tokens, output_tokens, total_tokens } = response.usage;
  assert.equal(total_tokens, input_tokens + output_tokens);
});

test("a stream is numbered and ends in the whole response", async () => {
  const events = [];
  for await (const event of await ask("Count to 12", { stream: true })) events.push(event);
  assert.deepEqual(
    events.map((event) => event.sequence_number),
    events.map((_, index) => index),
  );
  const text = events
    .filter((event) => event.type === "response.output_text.delta")
    .map((event) => event.delta)
    .join("");
  assert.equal(text, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12");
  const { type, response } = events.at(-1);
  assert.equal(type, "response.completed");
  assert.equal(response.output.at(-1).content[0].text, text);
  assert.ok(response.usage.total_tokens > 0);
});

test("the stream helper puts the response together", async () => {
  const response = await streamed("Count to 12");
  assert.equal(response.output_text, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12");
  assert.equal(response.output.at(-1).type, "message");
  assert.ok(response.usage.total_tokens > 0);
});

for (const [how, turn] of [
  ["plain", ask],
  ["streaming", streamed],
]) {
  test(`a tool is called and its answer is used, ${how}`, async () => {
    const more = { tools: [TOOL], include: ["reasoning.encrypted_content"] };
    const input = [user("What is the weather in Paris?")];
    const response = await turn(input, more);
    assert.ok(response.output.some((item) => item.encrypted_content));
    // Everything goes back as it came; the helper has put `parsed_arguments` beside it.
    input.push(...response.output, ...answers(response));
    const final = await turn(input, more);
    assert.match(final.output_text, /17\.25 degrees and drizzle in Paris/);
  });
}

test("parallel calls are all answered", async () => {
  const input = [user("What is the weather in Paris and in London?")];
  const response = await streamed(input, { tools: [TOOL] });
  assert.equal(answers(response).length, 2);
  input.push(...response.output, ...answers(response));
  const final = await streamed(input, { tools: [TOOL] });
  assert.match(final.output_text, /drizzle in Paris[^]*drizzle in London/);
});

test("structured output is parsed", async () => {
  const response = await client.responses.parse({
    model: MODEL,
    input: "Plan a workshop in Paris for 2 people",
    text: { format: zodTextFormat(Event, "event") },
  });
  Event.parse(response.output_parsed);
});

test("streamed structured output is parsed", async () => {
  const text = { format: zodTextFormat(Event, "event") };
  Event.parse((await streamed("Plan a talk in Rome", { text })).output_parsed);
});

test("strict arguments are parsed", async () => {
  const parameters = z.object({ city: z.string(), guests: z.number().int() });
  const description = "Book a table in a restaurant";
  const response = await client.responses.parse({
    model: MODEL,
    input: "Book a table in Rome for 4 guests",
    tools: [zodResponsesFunction({ name: "book_table", description, parameters })],
  });
  assert.deepEqual(response.output.at(-1).parsed_arguments, { city: "Rome", guests: 4 });
});

test("an image is seen", async () => {
  const content = [
    { type: "input_text", text: "What is in the picture?" },
    { type: "input_image", image_url: redPngUrl(), detail: "auto" },
  ];
  assert.match((await ask([user(content)])).output_text, /1 image/);
});
