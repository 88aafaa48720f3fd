"""Chat Completions: tools."""

import json

import openai
from pydantic import BaseModel

from runner import test
from support import MODEL, WEATHER_SCHEMA, client, user, weather

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather of a city",
        "parameters": WEATHER_SCHEMA,
    },
}


def ask(messages, **more):
    return client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL], **more)


def answers(calls):
    return [
        {"role": "tool", "tool_call_id": call.id, "content": weather(call.function.arguments)}
        for call in calls
    ]


@test
def a_tool_is_called_and_its_answer_is_used():
    messages = [user("What is the weather in Paris?")]
    choice = ask(messages).choices[0]
    assert choice.finish_reason == "tool_calls", choice
    [call] = choice.message.tool_calls
    assert (call.type, call.function.name) == ("function", "get_weather"), call
    assert json.loads(call.function.arguments) == {"city": "Paris"}, call
    messages += [choice.message, *answers([call])]
    final = ask(messages).choices[0]
    assert final.finish_reason == "stop", final
    assert "17.25 degrees and drizzle in Paris" in final.message.content, final


@test
def a_streamed_call_is_put_together_by_the_helper():
    messages = [user("What is the weather in Paris?")]
    deltas, done = [], []
    with client.chat.completions.stream(model=MODEL, messages=messages, tools=[TOOL]) as stream:
        for event in stream:
            if event.type == "tool_calls.function.arguments.delta":
                deltas.append(event.arguments_delta)
            if event.type == "tool_calls.function.arguments.done":
                done.append(event)
        choice = stream.get_final_completion().choices[0]
    [call] = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls", choice
    assert json.loads(call.function.arguments) == {"city": "Paris"}, call
    assert "".join(deltas) == call.function.arguments, deltas
    assert [event.name for event in done] == ["get_weather"], done
    messages += [choice.message, *answers([call])]
    with client.chat.completions.stream(model=MODEL, messages=messages, tools=[TOOL]) as stream:
        final = stream.get_final_completion().choices[0].message
    assert "17.25 degrees and drizzle in Paris" in final.content, final


@test
def parallel_calls_stream_apart():
    messages = [user("What is the weather in Paris and in London?")]
    calls = {}
    chunks = list(ask(messages, stream=True))
    for chunk in chunks:
        for delta in chunk.choices[0].delta.tool_calls or []:
            if delta.index not in calls:
                # The first delta of a call names it; no other does.
                assert delta.id and delta.type == "function" and delta.function.name, delta
                calls[delta.index] = {"id": delta.id, "name": delta.function.name, "arguments": ""}
            else:
                assert delta.id is None and delta.function.name is None, delta
            calls[delta.index]["arguments"] += delta.function.arguments or ""
    assert list(calls) == [0, 1], calls
    assert calls[0]["id"] != calls[1]["id"], calls
    cities = [json.loads(call["arguments"])["city"] for call in calls.values()]
    assert cities == ["Paris", "London"], calls
    assert chunks[-1].choices[0].finish_reason == "tool_calls", chunks[-1]


@test
def parallel_calls_are_all_answered():
    messages = [user("What is the weather in Paris and in London?")]
    message = ask(messages).choices[0].message
    messages += [message, *answers(message.tool_calls)]
    final = ask(messages).choices[0].message.content
    assert "drizzle in Paris" in final and "drizzle in London" in final, final


@test
def one_call_at_a_time_when_asked():
    message = ask(
        [user("What is the weather in Paris and in London?")], parallel_tool_calls=False
    ).choices[0].message
    assert len(message.tool_calls) == 1, message


@test
def tool_choice_is_obeyed():
    forced = {"type": "function", "function": {"name": "get_weather"}}
    for choice in ("required", forced):
        message = ask([user("Hello")], tool_choice=choice).choices[0].message
        assert [call.function.name for call in message.tool_calls] == ["get_weather"], message
    silent = ask([user("What is the weather in Paris?")], tool_choice="none").choices[0]
    assert silent.message.tool_calls is None and silent.finish_reason == "stop", silent


class BookTable(BaseModel):
    """Book a table in a restaurant"""

    city: str
    guests: int


@test
def strict_arguments_are_parsed():
    completion = client.chat.completions.parse(
        model=MODEL,
        messages=[user("Book a table in Rome for 4 guests")],
        tools=[openai.pydantic_function_tool(BookTable)],
    )
    [call] = completion.choices[0].message.tool_calls
    assert call.function.parsed_arguments == BookTable(city="Rome", guests=4), call


@test
def a_tool_without_parameters_is_called():
    tool = {"type": "function", "function": {"name": "read_clock"}}
    completion = client.chat.completions.create(
        model=MODEL, messages=[user("Please call read_clock")], tools=[tool]
    )
    [call] = completion.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {}, call


@test
def a_free_form_tool_is_called():
    tool = {"type": "custom", "custom": {"name": "take_note", "description": "Take a note"}}
    messages = [user("Use take_note with 'milk and eggs'")]
    message = client.chat.completions.create(model=MODEL, messages=messages, tools=[tool])
    message = message.choices[0].message
    [call] = message.tool_calls
    assert (call.type, call.custom.name) == ("custom", "take_note"), call
    assert call.custom.input == "milk and eggs", call
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "noted as no. 73"}]
    final = client.chat.completions.create(model=MODEL, messages=messages, tools=[tool])
    assert "noted as no. 73" in final.choices[0].message.content, final


@test
def the_old_way_of_functions_still_works():
    function = TOOL["function"]
    messages = [user("What is the weather in Paris?")]
    choice = client.chat.completions.create(model=MODEL, messages=messages, functions=[function])
    choice = choice.choices[0]
    assert choice.finish_reason == "function_call", choice
    call = choice.message.function_call
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"}), call
    messages += [
        choice.message,
        {"role": "function", "name": "get_weather", "content": weather(call.arguments)},
    ]
    final = client.chat.completions.create(model=MODEL, messages=messages, functions=[function])
    assert "17.25 degrees" in final.choices[0].message.content, final
