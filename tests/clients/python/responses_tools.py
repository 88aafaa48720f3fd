"""Responses: tools."""

import json

import openai
from pydantic import BaseModel

from runner import test
from support import MODEL, WEATHER_SCHEMA, client, user, weather

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the current weather of a city",
    "parameters": WEATHER_SCHEMA,
    "strict": True,
}


def ask(input, **more):
    return client.responses.create(model=MODEL, input=input, tools=[TOOL], **more)


def calls(response):
    return [item for item in response.output if item.type == "function_call"]


def answers(response):
    return [
        {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": weather(call.arguments),
        }
        for call in calls(response)
    ]


@test
def a_tool_is_called_and_its_answer_is_used():
    input = [user("What is the weather in Paris?")]
    response = ask(input, include=["reasoning.encrypted_content"])
    [call] = calls(response)
    assert (call.name, call.status) == ("get_weather", "completed"), call
    assert json.loads(call.arguments) == {"city": "Paris"}, call
    [reasoning] = [item for item in response.output if item.type == "reasoning"]
    assert reasoning.encrypted_content, reasoning
    # Everything goes back as it came: ids, states and sealed reasoning.
    final = ask([*input, *response.output, *answers(response)])
    assert "17.25 degrees and drizzle in Paris" in final.output_text, final


@test
def the_same_without_what_only_servers_know():
    response = ask("What is the weather in Paris?")
    [call] = calls(response)
    bare = {"type": "function_call", "call_id": call.call_id, "name": call.name}
    bare["arguments"] = call.arguments
    final = ask([user("What is the weather in Paris?"), bare, *answers(response)])
    assert "17.25 degrees" in final.output_text, final


@test
def a_streamed_call_is_put_together_by_the_helper():
    input = [user("What is the weather in Paris?")]
    pieces = []
    with client.responses.stream(model=MODEL, input=input, tools=[TOOL]) as stream:
        for event in stream:
            if event.type == "response.function_call_arguments.delta":
                pieces.append(event.delta)
        response = stream.get_final_response()
    [call] = calls(response)
    assert "".join(pieces) == call.arguments, pieces
    assert json.loads(call.arguments) == {"city": "Paris"}, call
    input += [*response.output, *answers(response)]
    with client.responses.stream(model=MODEL, input=input, tools=[TOOL]) as stream:
        final = stream.get_final_response()
    assert "17.25 degrees and drizzle in Paris" in final.output_text, final


@test
def parallel_calls_are_all_answered():
    input = [user("What is the weather in Paris and in London?")]
    response = ask(input)
    cities = [json.loads(call.arguments)["city"] for call in calls(response)]
    assert cities == ["Paris", "London"], response
    final = ask([*input, *response.output, *answers(response)]).output_text
    assert "drizzle in Paris" in final and "drizzle in London" in final, final


@test
def tool_choice_is_obeyed():
    forced = ask("Hello", tool_choice={"type": "function", "name": "get_weather"})
    assert [call.name for call in calls(forced)] == ["get_weather"], forced
    silent = ask("What is the weather in Paris?", tool_choice="none")
    assert calls(silent) == [] and silent.output_text, silent


class BookTable(BaseModel):
    """Book a table in a restaurant"""

    city: str
    guests: int


@test
def strict_arguments_are_parsed():
    response = client.responses.parse(
        model=MODEL,
        input="Book a table in Rome for 4 guests",
        tools=[openai.pydantic_function_tool(BookTable)],
    )
    [call] = calls(response)
    assert call.parsed_arguments == BookTable(city="Rome", guests=4), call


@test
def a_free_form_tool_is_called():
    tool = {"type": "custom", "name": "take_note", "description": "Take a note"}
    input = [user("Use take_note with 'milk and eggs'")]
    response = client.responses.create(model=MODEL, input=input, tools=[tool])
    call = response.output[-1]
    assert (call.type, call.name, call.input) == (
        "custom_tool_call",
        "take_note",
        "milk and eggs",
    ), call
    output = {
        "type": "custom_tool_call_output",
        "call_id": call.call_id,
        "output": "noted as no. 73",
    }
    input += [*response.output, output]
    final = client.responses.create(model=MODEL, input=input, tools=[tool])
    assert "noted as no. 73" in final.output_text, final


@test
def a_hosted_search_is_told():
    response = client.responses.create(
        model=MODEL, input="Search the web for crabs", tools=[{"type": "web_search"}]
    )
    kinds = [item.type for item in response.output]
    assert "web_search_call" in kinds and kinds[-1] == "message", kinds
