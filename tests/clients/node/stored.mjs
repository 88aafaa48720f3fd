// Responses and conversations that are kept.

import assert from "node:assert/strict";
import { group } from "./runner.mjs";
import { client, MODEL, user } from "./support.mjs";

const test = group("node stored");

const ask = (input, more) => client.responses.create({ model: MODEL, input, ...more });

test("a response goes on from the one before, and can be deleted", async () => {
  const first = await ask("Say exactly one");
  const second = await ask("Say exactly two", { previous_response_id: first.id });
  assert.equal(second.output_text, "two");
  assert.deepEqual((await client.responses.retrieve(second.id)).output, second.output);
  const items = [];
  for await (const item of client.responses.inputItems.list(second.id)) items.push(item);
  assert.equal(items[0].content[0].text, "Say exactly two");
  await client.responses.delete(first.id);
  await assert.rejects(client.responses.retrieve(first.id), { status: 404 });
  await assert.rejects(ask("x", { previous_response_id: first.id }), {
    status: 400,
    code: "previous_response_not_found",
  });
});

test("a background response is streamed from where it was left", async () => {
  const made = await ask("Count to 12", { background: true });
  assert.equal(made.status, "queued");
  const numbers = [];
  const rest = await client.responses.retrieve(made.id, { stream: true, starting_after: 3 });
  for await (const event of rest) numbers.push(event.sequence_number);
  assert.equal(numbers[0], 4);
  assert.equal((await client.responses.retrieve(made.id)).status, "completed");
});

test("a conversation grows with its responses", async () => {
  const conversation = await client.conversations.create();
  await ask([user("Say exactly one")], { conversation: conversation.id });
  const items = [];
  for await (const item of client.conversations.items.list(conversation.id)) items.push(item);
  assert.equal(items[0].content[0].text, "one");
  assert.equal((await client.conversations.delete(conversation.id)).deleted, true);
});

test("choices arrive side by side, each with its own end", async () => {
  const stream = client.chat.completions.stream({
    model: MODEL,
    messages: [user("Say exactly yes")],
    n: 2,
  });
  const { choices } = await stream.finalChatCompletion();
  assert.deepEqual(
    choices.map((choice) => [choice.index, choice.message.content, choice.finish_reason]),
    [
      [0, "yes", "stop"],
      [1, "yes", "stop"],
    ],
  );
});
