// A backend with a plan of the test's choosing, whose turns say what and when the test wants.

import { createServer } from "node:http";

const LATE = Math.floor(Date.now() / 1000) + 10 * 24 * 3600;

export class Backend {
  /** What `/wham/usage` tells of each window: minutes, per cent, seconds until it resets. */
  windows = [
    [300, 31, 2 * 3600 + 600],
    [10_080, 62, 3 * 86_400 + 4 * 3600],
  ];
  /** What becomes of the next turns: `answer`, `hold` or `used_up`. */
  manner = "answer";
  usage = { input_tokens: 1800, input_tokens_details: { cached_tokens: 1536 }, output_tokens: 240, output_tokens_details: { reasoning_tokens: 64 }, total_tokens: 2040 };
  #held = [];

  async start() {
    this.server = createServer((request, response) => this.#answer(request, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Ends the turns that are held. */
  release() {
    for (const response of this.#held.splice(0)) this.#end(response);
  }

  /** An `auth.json` that this backend takes; nothing else would. */
  login() {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      iat: LATE - 10 * 24 * 3600,
      exp: LATE,
      "https://api.openai.com/auth": { chatgpt_account_id: "account-1", chatgpt_plan_type: "plus" },
    };
    const token = `${part({ alg: "none" })}.${part(claims)}.nobody`;
    return JSON.stringify({
      auth_mode: "chatgpt",
      tokens: { id_token: token, access_token: token, refresh_token: "nobody", account_id: "account-1" },
      last_refresh: new Date().toISOString(),
    });
  }

  #answer(request, response) {
    request.resume();
    const path = request.url.split("?")[0];
    if (path.endsWith("/wham/usage")) return json(response, 200, this.#plan());
    if (!path.endsWith("/codex/responses")) return json(response, 404, { detail: "Not Found" });
    if (this.manner === "used_up") {
      const [, , seconds] = this.windows[0];
      const error = { type: "usage_limit_reached", message: "The usage limit has been reached", plan_type: "plus", resets_in_seconds: seconds };
      return json(response, 429, { error });
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    event(response, "response.created", { response: { id: "resp_1", status: "in_progress", output: [] } });
    event(response, "response.output_item.added", { output_index: 0, item: { id: "msg_1", type: "message", role: "assistant", status: "in_progress", content: [] } });
    event(response, "response.output_text.delta", { item_id: "msg_1", output_index: 0, content_index: 0, delta: "Here " });
    if (this.manner === "hold") this.#held.push(response);
    else this.#end(response);
  }

  #end(response) {
    const item = { id: "msg_1", type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: "Here it is.", annotations: [] }] };
    event(response, "response.output_text.delta", { item_id: "msg_1", output_index: 0, content_index: 0, delta: "it is." });
    event(response, "response.output_item.done", { output_index: 0, item });
    event(response, "response.completed", { response: { id: "resp_1", status: "completed", output: [item], usage: this.usage } });
    response.end();
  }

  #plan() {
    const [primary_window, secondary_window] = this.windows.map(([minutes, used_percent, seconds]) => ({
      used_percent,
      limit_window_seconds: minutes * 60,
      reset_after_seconds: seconds,
      reset_at: Math.floor(Date.now() / 1000) + seconds,
    }));
    const limit_reached = this.windows.some(([, used]) => used >= 100);
    return { plan_type: "plus", rate_limit: { allowed: !limit_reached, limit_reached, primary_window, secondary_window } };
  }
}

function json(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

const event = (response, type, data) => response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
