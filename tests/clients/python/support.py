"""What the tests talk about."""

import base64
import json
import struct
import zlib
from enum import Enum
from typing import List, Optional

from openai import OpenAI
from pydantic import BaseModel

MODEL = "gpt-5.5"

# The address and the key come from OPENAI_BASE_URL and OPENAI_API_KEY, as most programs take them.
client = OpenAI(max_retries=0, timeout=20)


def user(text):
    return {"role": "user", "content": text}


WEATHER_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def weather(arguments):
    """What the tool answers; with a figure that nobody could make up."""
    city = json.loads(arguments)["city"]
    return f"17.25 degrees and drizzle in {city}"


class Kind(str, Enum):
    talk = "talk"
    workshop = "workshop"


class Person(BaseModel):
    name: str
    age: int


class Event(BaseModel):
    title: str
    kind: Kind
    where: Optional[str]
    people: List[Person]


def red_png():
    """A real picture of 2 × 2 pixels, as a data URL."""

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    rows = b"".join(b"\x00" + b"\xff\x00\x00" * 2 for _ in range(2))
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return "data:image/png;base64," + base64.b64encode(png).decode()
