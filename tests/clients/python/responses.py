"""Responses: text, streams, structured output, images."""

import asyncio

import openai

from runner import test
from support import MODEL, Event, client, red_png, user


def ask(input, **more):
    return client.responses.create(model=MODEL, input=input, **more)


@test
def a_string_is_answered():
    response = ask("Say exactly hello there")
    assert (response.object, response.status) == ("response", "completed"), response
    assert response.id.startswith("resp_") and response.created_at > 1_700_000_000, response
    assert response.model == MODEL, response.model
    assert response.error is None and response.incomplete_details is None
    assert response.output_text == "hello there", response
    message = response.output[-1]
    assert (message.type, message.role, message.status) == ("message", "assistant", "completed")
    usage = response.usage
    assert usage.input_tokens > 0 and usage.output_tokens > 0, usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens, usage
    assert usage.input_tokens_details.cached_tokens >= 0, usage
    assert usage.output_tokens_details.reasoning_tokens > 0, usage


@test
def messages_of_every_shape_are_taken():
    response = ask(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]},
            {"type": "message", **user("Say exactly one")},
            {"role": "assistant", "content": "one"},
            {"role": "user", "content": [{"type": "input_text", "text": "Say exactly two"}]},
        ],
        instructions="Answer.",
    )
    assert response.output_text == "two", response


@test
def a_stream_tells_every_step_in_order():
    events = list(ask("Count to 12", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12", events
    kinds = list(dict.fromkeys(event.type for event in of_the_message(events)))
    assert kinds == [
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
    ], kinds
    first, second, *_, last = [event.type for event in events]
    assert (first, second) == ("response.created", "response.in_progress"), events
    assert last == "response.completed", events
    added = [event.item.id for event in events if event.type == "response.output_item.added"]
    done = [event.item.id for event in events if event.type == "response.output_item.done"]
    completed = events[-1].response
    assert added == done == [item.id for item in completed.output], completed
    assert events[0].response.id == completed.id
    assert completed.usage.output_tokens > 0, completed


def of_the_message(events):
    """The events of the last item, which is the message."""
    place = len(events[-1].response.output) - 1
    return [event for event in events if getattr(event, "output_index", None) == place]


@test
def the_stream_helper_puts_the_response_together():
    pieces = []
    with client.responses.stream(model=MODEL, input="Count to 12") as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                pieces.append(event.delta)
        response = stream.get_final_response()
    assert response.output_text == "".join(pieces) == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"
    assert response.output[-1].type == "message", response
    assert response.usage.total_tokens > 0, response


@test
def reasoning_is_summed_up_and_sealed():
    response = ask(
        "Say exactly hello",
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content"],
    )
    reasoning = response.output[0]
    assert reasoning.type == "reasoning", response
    assert "simulator" in reasoning.summary[0].text, reasoning
    assert reasoning.encrypted_content, reasoning
    assert response.reasoning.effort == "high", response.reasoning
    again = ask([user("Say exactly hello"), *response.output, user("Say exactly again")])
    assert again.output_text == "again", again


@test
def a_summary_streams():
    events = list(ask("Say exactly hello", reasoning={"summary": "detailed"}, stream=True))
    pieces = [e.delta for e in events if e.type == "response.reasoning_summary_text.delta"]
    summary = events[-1].response.output[0].summary
    assert len(summary) == 2, summary
    assert "".join(pieces) == "".join(part.text for part in summary), pieces


@test
def structured_output_is_parsed():
    response = client.responses.parse(
        model=MODEL, input="Plan a workshop in Paris for 2 people", text_format=Event
    )
    assert isinstance(response.output_parsed, Event), response


@test
def streamed_structured_output_is_parsed():
    with client.responses.stream(
        model=MODEL, input="Plan a talk in Rome", text_format=Event
    ) as stream:
        response = stream.get_final_response()
    assert isinstance(response.output_parsed, Event), response


@test
def an_image_is_seen():
    parts = [
        {"type": "input_text", "text": "What is in the picture?"},
        {"type": "input_image", "image_url": red_png(), "detail": "low"},
    ]
    assert "1 image" in ask([{"role": "user", "content": parts}]).output_text


@test
def a_long_conversation_is_found_in_the_cache():
    input = [{"role": "developer", "content": "Be kind. " * 2000}, user("Say exactly one")]
    input += [*ask(input).output, user("Say exactly two")]
    usage = ask(input).usage
    assert 1024 <= usage.input_tokens_details.cached_tokens < usage.input_tokens, usage


@test
def a_long_answer_can_be_left():
    with ask("Count to 2000", stream=True) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                break
    assert ask("Say exactly still here").output_text == "still here"


@test
async def many_turns_at_once_do_not_mix():
    async with openai.AsyncOpenAI(max_retries=0, timeout=20) as client:
        turns = [
            client.responses.create(model=MODEL, input=f"Say exactly the number is {number}")
            for number in range(40)
        ]
        answers = [response.output_text for response in await asyncio.gather(*turns)]
    assert answers == [f"the number is {number}" for number in range(40)], answers
