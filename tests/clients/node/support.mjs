// What the tests talk about.

import { deflateSync } from "node:zlib";
import OpenAI from "openai";
import { z } from "zod";

export const MODEL = "gpt-5.5";

// The address and the key come from OPENAI_BASE_URL and OPENAI_API_KEY, as most programs take them.
export const client = new OpenAI({ maxRetries: 0, timeout: 20_000 });

export const user = (content) => ({ role: "user", content });

export const WEATHER = "Get the current weather of a city";

export const WEATHER_SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

/** What the tool answers; with a figure that nobody could make up. */
export const weather = ({ city }) => `17.25 degrees and drizzle in ${city}`;

export const Event = z.object({
  title: z.string(),
  kind: z.enum(["talk", "workshop"]),
  where: z.string().nullable(),
  people: z.array(z.object({ name: z.string(), age: z.number().int() })),
});

/** A real picture of 2 × 2 pixels. */
export function redPng() {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0, 2, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
  const row = [0, 255, 0, 0, 255, 0, 0];
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.from([...row, ...row]))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

export const redPngUrl = () => `data:image/png;base64,${redPng().toString("base64")}`;

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
