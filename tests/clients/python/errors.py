"""What goes wrong arrives as the exception that the SDK has for it."""

import openai

from runner import test
from support import MODEL, client, user


def raised(kind, call):
    """The exception that `call` raises, which must be of that kind and say what to do."""
    try:
        result = call()
    except kind as error:
        assert error.message and error.type == "invalid_request_error", error.body
        assert error.request_id, error
        return error
    raise AssertionError(f"no {kind.__name__}, but {result!r}")


def chat(**body):
    return lambda: client.post(
        "/chat/completions", body={"model": MODEL, "messages": [user("hi")], **body}, cast_to=object
    )


def responses(**body):
    return lambda: client.post(
        "/responses", body={"model": MODEL, "input": "hi", **body}, cast_to=object
    )


@test
def an_unknown_model_is_not_found():
    for call in (
        lambda: client.chat.completions.create(model="gpt-99", messages=[user("hi")]),
        lambda: client.chat.completions.create(model="gpt-99", messages=[user("hi")], stream=True),
        lambda: client.responses.create(model="gpt-99", input="hi"),
        lambda: client.responses.create(model="gpt-99", input="hi", stream=True),
        lambda: client.models.retrieve("gpt-99"),
    ):
        error = raised(openai.NotFoundError, call)
        assert error.code == "model_not_found", error.body
        assert "gpt-99" in error.message, error.message


@test
def a_value_of_the_wrong_type_is_named():
    for param, value in [
        ("temperature", "hot"),
        ("stream", "yes"),
        ("messages", "hi"),
        ("tools", {}),
        ("max_tokens", "many"),
    ]:
        error = raised(openai.BadRequestError, chat(**{param: value}))
        assert error.param == param, error.body
    for param, value in [("temperature", "hot"), ("stream", "yes"), ("input", 7), ("tools", {})]:
        error = raised(openai.BadRequestError, responses(**{param: value}))
        assert error.param == param, error.body


@test
def a_value_out_of_range_is_named():
    for param, value in [("temperature", 3), ("top_p", 2), ("max_tokens", 0)]:
        error = raised(openai.BadRequestError, chat(**{param: value}))
        assert error.param == param, error.body
    error = raised(openai.BadRequestError, chat(reasoning_effort="enormous"))
    assert error.param == "reasoning_effort" and "high" in error.message, error.body
    error = raised(openai.BadRequestError, responses(reasoning={"effort": "enormous"}))
    assert error.param == "reasoning.effort", error.body


@test
def what_is_missing_is_named():
    error = raised(openai.BadRequestError, chat(messages=None))
    assert error.param == "messages", error.body
    error = raised(openai.BadRequestError, responses(input=None))
    assert error.param == "input", error.body
    error = raised(openai.BadRequestError, chat(messages=[]))
    assert error.param == "messages", error.body
    error = raised(openai.BadRequestError, chat(messages=[{"content": "hi"}]))
    assert error.param == "messages[0].role", error.body


@test
def an_unknown_role_is_named():
    error = raised(openai.BadRequestError, chat(messages=[{"role": "wizard", "content": "hi"}]))
    assert error.param == "messages[0].role" and "wizard" in error.message, error.body


@test
def an_answer_to_no_call_is_refused():
    lost = {"role": "tool", "tool_call_id": "call_lost", "content": "17"}
    error = raised(openai.BadRequestError, chat(messages=[user("hi"), lost]))
    assert (error.param or "").startswith("messages"), error.body
    lost = {"type": "function_call_output", "call_id": "call_lost", "output": "17"}
    error = raised(openai.BadRequestError, responses(input=[user("hi"), lost]))
    assert error.param == "input", error.body


@test
def a_schema_that_is_not_strict_enough_is_refused():
    loose = {"name": "loose", "strict": True, "schema": {"type": "object", "properties": {}}}
    error = raised(
        openai.BadRequestError,
        chat(response_format={"type": "json_schema", "json_schema": loose}),
    )
    assert error.param.startswith("response_format"), error.body
    assert "additionalProperties" in error.message, error.body


@test
def an_address_that_is_not_served_is_not_found():
    raised(openai.NotFoundError, lambda: client.embeddings.create(model=MODEL, input="hi"))
    raised(openai.NotFoundError, lambda: client.get("/nothing", cast_to=object))
