"""Chat Completions: text, streams, structured output, images."""

import asyncio
import json

from openai import AsyncOpenAI

from runner import test
from support import MODEL, Event, client, red_png, user

UNICODE = "naïve 🦀 crab — 日本語, 👩‍👩‍👧 and \\backslash"


def ask(text, **more):
    return client.chat.completions.create(model=MODEL, messages=[user(text)], **more)


@test
def a_plain_answer_has_text_and_usage():
    completion = ask("Say exactly hello there")
    assert completion.object == "chat.completion", completion
    assert completion.id.startswith("chatcmpl-"), completion.id
    assert completion.model == MODEL, completion.model
    assert completion.created > 1_700_000_000, completion.created
    [choice] = completion.choices
    assert (choice.index, choice.finish_reason) == (0, "stop"), choice
    assert choice.message.role == "assistant"
    assert choice.message.content == "hello there"
    assert choice.message.tool_calls is None
    usage = completion.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0, usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage
    assert usage.prompt_tokens_details.cached_tokens >= 0, usage


@test
def any_text_survives_both_ways():
    assert ask(f"Say exactly {UNICODE}").choices[0].message.content == UNICODE
    deltas = [
        chunk.choices[0].delta.content or "" for chunk in ask(f"Say exactly {UNICODE}", stream=True)
    ]
    assert "".join(deltas) == UNICODE, deltas


@test
def a_stream_arrives_in_pieces_that_make_the_plain_answer():
    plain = ask("Count to 40").choices[0].message.content
    deltas = [c.choices[0].delta.content for c in ask("Count to 40", stream=True)]
    pieces = [delta for delta in deltas if delta]
    assert plain.endswith("39, 40"), plain
    assert len(pieces) > 10, pieces
    assert "".join(pieces) == plain, pieces


@test
def a_stream_tells_no_usage_unless_asked():
    chunks = list(ask("Say exactly hello", stream=True))
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk.model for chunk in chunks} == {MODEL}
    assert [len(chunk.choices) for chunk in chunks] == [1] * len(chunks)
    assert [chunk for chunk in chunks if chunk.usage is not None] == []
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].delta.role for chunk in chunks[1:]] == [None] * (len(chunks) - 1)
    finish = [chunk.choices[0].finish_reason for chunk in chunks]
    assert finish == [None] * (len(chunks) - 1) + ["stop"], finish


@test
def a_stream_tells_usage_once_when_asked():
    chunks = list(ask("Say exactly hello", stream=True, stream_options={"include_usage": True}))
    *before, last = chunks
    assert last.choices == [], last
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens > 0
    assert [chunk for chunk in before if chunk.usage is not None or len(chunk.choices) != 1] == []
    # The API says null in the others, rather than nothing.
    assert all("usage" in chunk.model_fields_set for chunk in before)


@test
def the_stream_helper_puts_the_answer_together():
    pieces = []
    with client.chat.completions.stream(
        model=MODEL,
        messages=[user("Count to 12")],
        stream_options={"include_usage": True},
    ) as stream:
        for event in stream:
            if event.type == "content.delta":
                pieces.append(event.delta)
        completion = stream.get_final_completion()
    message = completion.choices[0].message
    assert message.content == "".join(pieces) == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.completion_tokens > 0, completion.usage


@test
def reasoning_is_shown_and_may_come_back():
    messages = [user("Say exactly first")]
    first = client.chat.completions.create(
        model=MODEL, messages=messages, reasoning_effort="high"
    )
    message = first.choices[0].message
    assert "simulator" in message.reasoning_content, message
    assert first.usage.completion_tokens_details.reasoning_tokens > 0, first.usage
    # The SDK sends the whole message back: reasoning, and keys that are null.
    messages += [message, user("Say exactly second")]
    second = client.chat.completions.create(model=MODEL, messages=messages)
    assert second.choices[0].message.content == "second"


@test
def reasoning_streams_before_the_text():
    stream = ask("Say exactly hello", stream=True, reasoning_effort="low")
    deltas = [chunk.choices[0].delta for chunk in stream]
    thoughts = [getattr(delta, "reasoning_content", None) for delta in deltas]
    first_text = next(i for i, delta in enumerate(deltas) if delta.content)
    last_thought = max(i for i, thought in enumerate(thoughts) if thought)
    assert last_thought < first_text, deltas
    assert "simulator" in "".join(thought or "" for thought in thoughts)


@test
def structured_output_is_parsed():
    completion = client.chat.completions.parse(
        model=MODEL,
        messages=[user("Plan a workshop in Paris for 2 people")],
        response_format=Event,
    )
    event = completion.choices[0].message.parsed
    assert isinstance(event, Event) and event.people, completion


@test
def streamed_structured_output_is_parsed():
    with client.chat.completions.stream(
        model=MODEL,
        messages=[user("Plan a talk in Rome")],
        response_format=Event,
    ) as stream:
        kinds = {event.type for event in stream}
        message = stream.get_final_completion().choices[0].message
    assert "content.done" in kinds, kinds
    assert isinstance(message.parsed, Event), message


@test
def json_mode_answers_an_object():
    completion = ask("Answer in JSON: how are you?", response_format={"type": "json_object"})
    assert isinstance(json.loads(completion.choices[0].message.content), dict), completion


@test
def an_image_is_seen():
    parts = [
        {"type": "text", "text": "What is in the picture?"},
        {"type": "image_url", "image_url": {"url": red_png(), "detail": "low"}},
    ]
    answer = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": parts}]
    )
    assert "1 image" in answer.choices[0].message.content, answer


@test
def every_role_and_shape_of_content_is_taken():
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Be brief.", "name": "house"},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": "Say exactly one", "name": "ada"},
            {"role": "assistant", "content": [{"type": "text", "text": "one"}]},
            {"role": "system", "content": "Go on."},
            {"role": "user", "content": [{"type": "text", "text": "Say exactly two"}]},
        ],
    )
    assert answer.choices[0].message.content == "two", answer


@test
def a_long_conversation_is_found_in_the_cache():
    messages = [{"role": "system", "content": "Be kind. " * 2000}, user("Say exactly one")]
    first = client.chat.completions.create(model=MODEL, messages=messages)
    messages += [first.choices[0].message, user("Say exactly two")]
    second = client.chat.completions.create(model=MODEL, messages=messages)
    cached = second.usage.prompt_tokens_details.cached_tokens
    assert 1024 <= cached < second.usage.prompt_tokens, second.usage


@test
def leaving_a_stream_harms_nobody():
    with ask("Count to 2000", stream=True) as stream:
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break
    assert ask("Say exactly still here").choices[0].message.content == "still here"


@test
async def many_streams_at_once_do_not_mix():
    async def one(client, number):
        stream = await client.chat.completions.create(
            model=MODEL, messages=[user(f"Say exactly the number is {number}")], stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async with AsyncOpenAI(max_retries=0, timeout=20) as client:
        answers = await asyncio.gather(*[one(client, number) for number in range(40)])
    assert answers == [f"the number is {number}" for number in range(40)], answers
