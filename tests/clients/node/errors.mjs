// What goes wrong arrives as the error that the official SDK has for it.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { group } from "./runner.mjs";
import { client, MODEL, user } from "./support.mjs";

const test = group("node errors");

/** The error that `turn` is rejected with, which must be of that kind. */
async function rejected(kind, turn) {
  const error = await turn.then(
    (value) => assert.fail(`no error, but ${JSON.stringify(value)}`),
    (error) => error,
  );
  assert.ok(error instanceof kind, error);
  assert.equal(error.type, "invalid_request_error");
  assert.match(error.requestID, /^req_/);
  return error;
}

test("an unknown model is not found, also by a stream", async () => {
  const messages = [user("hi")];
  for (const stream of [false, true]) {
    // One at a time: a promise that fails before it is awaited ends the process.
    for (const turn of [
      () => client.chat.completions.create({ model: "gpt-99", messages, stream }),
      () => client.responses.create({ model: "gpt-99", input: "hi", stream }),
    ]) {
      const error = await rejected(OpenAI.NotFoundError, turn());
      assert.equal(error.code, "model_not_found");
      assert.match(error.message, /The model .*gpt-99.* does not exist/);
    }
  }
});

test("a value of the wrong type is named", async () => {
  const chat = { model: MODEL, messages: [user("hi")], temperature: "hot" };
  const error = await rejected(OpenAI.BadRequestError, client.chat.completions.create(chat));
  assert.equal(error.param, "temperature");
});

test("what is missing is named", async () => {
  const chat = await rejected(
    OpenAI.BadRequestError,
    client.chat.completions.create({ model: MODEL }),
  );
  assert.equal(chat.param, "messages");
  const responses = await rejected(OpenAI.BadRequestError, client.responses.create({ model: MODEL }));
  assert.equal(responses.param, "input");
});
