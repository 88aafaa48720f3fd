// The Vercel AI SDK: its own chat and Responses providers, and the one for compatible servers.

import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { group } from "./runner.mjs";
import { Event, MODEL, redPng, WEATHER, weather } from "./support.mjs";

const test = group("ai-sdk");

const settings = {
  baseURL: process.env.OPENAI_BASE_URL,
  apiKey: process.env.OPENAI_API_KEY,
};
const openai = createOpenAI(settings);
const compatible = createOpenAICompatible({
  ...settings,
  name: "codexway",
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const PROVIDERS = {
  compatible,
  chat: openai.chat,
  responses: openai.responses,
};

/** Errors come as parts of a stream; these tests want them thrown. */
const onError = ({ error }) => {
  throw error;
};

for (const [provider, model] of Object.entries(PROVIDERS)) {
  const withTool = () => ({
    model: model(MODEL),
    prompt: "What is the weather in Paris?",
    tools: {
      get_weather: tool({
        description: WEATHER,
        inputSchema: z.object({ city: z.string() }),
        execute: async (given) => weather(given),
      }),
    },
    stopWhen: stepCountIs(4),
    maxRetries: 0,
  });

  test(`${provider}: generateText has text, reasoning and usage`, async () => {
    const result = await generateText({
      model: model(MODEL),
      system: "Be brief.",
      prompt: "Say exactly hello there",
      providerOptions: { openai: { reasoningSummary: "auto" } },
      maxRetries: 0,
    });
    assert.equal(result.text, "hello there");
    assert.equal(result.finishReason, "stop");
    assert.ok(result.usage.inputTokens > 0 && result.usage.outputTokens > 0);
    // The provider for OpenAI's own chat API does not know of reasoning there.
    if (provider !== "chat") assert.match(result.reasoningText, /simulator/);
  });

  test(`${provider}: streamText streams the same`, async () => {
    const result = streamText({
      model: model(MODEL),
      prompt: "Count to 12",
      maxRetries: 0,
      onError,
    });
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    assert.equal(pieces.join(""), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12");
    assert.ok(pieces.length > 4, pieces);
    assert.equal(await result.finishReason, "stop");
    assert.ok((await result.usage).outputTokens > 0);
  });

  test(`${provider}: generateText calls a tool and uses its answer`, async () => {
    const { text, steps } = await generateText(withTool());
    assert.equal(steps.length, 2);
    assert.equal(steps[0].finishReason, "tool-calls");
    assert.deepEqual(steps[0].toolCalls[0].input, { city: "Paris" });
    assert.match(text, /17\.25 degrees and drizzle in Paris/);
  });

  test(`${provider}: streamText calls a tool and uses its answer`, async () => {
    const result = streamText({ ...withTool(), onError });
    await result.consumeStream();
    const steps = await result.steps;
    assert.deepEqual(steps[0].toolCalls[0].input, { city: "Paris" });
    assert.match(await result.text, /17\.25 degrees and drizzle in Paris/);
  });

  test(`${provider}: two calls at once are both answered`, async () => {
    const prompt = "What is the weather in Paris and in London?";
    const result = streamText({ ...withTool(), prompt, onError });
    await result.consumeStream();
    const inputs = (await result.steps)[0].toolCalls.map((call) => call.input);
    assert.deepEqual(inputs, [{ city: "Paris" }, { city: "London" }]);
    assert.match(await result.text, /drizzle in Paris[^]*drizzle in London/);
  });

  test(`${provider}: generateObject gives a valid object`, async () => {
    const { object } = await generateObject({
      model: model(MODEL),
      schema: Event,
      prompt: "Plan a workshop in Paris for 2 people",
      maxRetries: 0,
    });
    Event.parse(object);
  });

  test(`${provider}: an image is seen`, async () => {
    const content = [
      { type: "text", text: "What is in the picture?" },
      { type: "image", image: redPng(), mediaType: "image/png" },
    ];
    const messages = [{ role: "user", content }];
    const { text } = await generateText({ model: model(MODEL), messages, maxRetries: 0 });
    assert.match(text, /1 image/);
  });

  test(`${provider}: an unknown model is told as such`, async () => {
    const turn = generateText({ model: model("gpt-99"), prompt: "hi", maxRetries: 0 });
    await assert.rejects(turn, (error) => {
      assert.ok(APICallError.isInstance(error), error);
      assert.equal(error.statusCode, 404);
      assert.match(error.message, /The model .*gpt-99.* does not exist/);
      return true;
    });
  });
}

test("responses: what was said goes back by reference, and the conversation goes on", async () => {
  const model = openai.responses(MODEL);
  const first = await generateText({
    model,
    prompt: "Say exactly one",
    providerOptions: { openai: { reasoningSummary: "auto" } },
    maxRetries: 0,
  });
  const messages = [
    { role: "user", content: "Say exactly one" },
    ...first.response.messages,
    { role: "user", content: "Say exactly two" },
  ];
  const second = await generateText({ model, messages, maxRetries: 0 });
  assert.equal(second.text, "two");
});

test("responses: without storing, sealed reasoning goes back whole", async () => {
  const model = openai.responses(MODEL);
  const providerOptions = {
    openai: { store: false, include: ["reasoning.encrypted_content"], reasoningSummary: "auto" },
  };
  const first = await generateText({
    model,
    prompt: "Say exactly one",
    providerOptions,
    maxRetries: 0,
  });
  const messages = [
    { role: "user", content: "Say exactly one" },
    ...first.response.messages,
    { role: "user", content: "Say exactly two" },
  ];
  const second = await generateText({ model, messages, providerOptions, maxRetries: 0 });
  assert.equal(second.text, "two");
  const sent = second.request.body.input.find((item) => item.type === "reasoning");
  assert.ok(sent?.encrypted_content, JSON.stringify(second.request.body));
});

test("compatible: JSON mode without a schema gives JSON", async () => {
  const plain = createOpenAICompatible({ ...settings, name: "codexway" });
  const { object } = await generateObject({
    model: plain(MODEL),
    output: "no-schema",
    prompt: "Answer in JSON: how are you?",
    maxRetries: 0,
  });
  assert.equal(typeof object, "object");
});
