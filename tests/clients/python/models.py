"""The list of models."""

import json

from runner import test
from support import MODEL, WEATHER_SCHEMA, client, user


@test
def models_are_listed():
    models = list(client.models.list())
    assert MODEL in [model.id for model in models], models
    for model in models:
        assert (model.object, model.owned_by) == ("model", "openai"), model
        assert model.created > 1_700_000_000, model
        assert model.context_window >= 100_000, model
        assert "text" in model.input_modalities, model


@test
def one_model_is_told():
    model = client.models.retrieve(MODEL)
    assert (model.id, model.object) == (MODEL, "model"), model
    assert "medium" in model.reasoning_efforts, model


@test
def every_model_that_is_listed_answers():
    for model in client.models.list():
        completion = client.chat.completions.create(
            model=model.id, messages=[user("Say exactly hello")]
        )
        assert completion.choices[0].message.content == "hello", (model.id, completion)
        response = client.responses.create(model=model.id, input="Say exactly hello")
        assert response.output_text == "hello", (model.id, response)


@test
def every_model_that_is_listed_calls_a_tool():
    tool = {"name": "get_weather", "description": "Get the weather", "parameters": WEATHER_SCHEMA}
    question = "What is the weather in Paris?"
    for model in client.models.list():
        completion = client.chat.completions.create(
            model=model.id, messages=[user(question)], tools=[{"type": "function", "function": tool}]
        )
        [call] = completion.choices[0].message.tool_calls
        assert json.loads(call.function.arguments) == {"city": "Paris"}, (model.id, completion)
        response = client.responses.create(
            model=model.id, input=question, tools=[{"type": "function", **tool}]
        )
        call = response.output[-1]
        assert json.loads(call.arguments) == {"city": "Paris"}, (model.id, response)
