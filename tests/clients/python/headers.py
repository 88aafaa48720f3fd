"""The headers of an answer, as the SDK hands them on."""

from runner import test
from support import MODEL, client, user

raw_chat = client.chat.completions.with_raw_response
raw_responses = client.responses.with_raw_response


@test
def every_answer_can_be_named():
    first = raw_chat.create(model=MODEL, messages=[user("Say exactly hello")])
    second = raw_responses.create(model=MODEL, input="Say exactly hello")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert first.parse()._request_id == first.headers["x-request-id"]
    assert int(first.headers["openai-processing-ms"]) >= 0
    assert first.headers["x-codexway-upstream"], first.headers
    assert first.headers["content-type"] == "application/json"


@test
def what_has_no_effect_is_told():
    chat = raw_chat.create(
        model=MODEL, messages=[user("Say exactly hello")], temperature=0.2, seed=7
    )
    dropped = chat.headers["x-codexway-dropped"].split(",")
    assert sorted(dropped) == ["seed", "temperature"], dropped
    assert chat.parse().choices[0].message.content == "hello"
    responses = raw_responses.create(model=MODEL, input="Say exactly hello", temperature=0.2)
    assert responses.headers["x-codexway-dropped"] == "temperature", responses.headers
    assert responses.parse().output_text == "hello"


@test
def nothing_is_told_where_everything_had_effect():
    chat = raw_chat.create(model=MODEL, messages=[user("Say exactly hello")])
    assert "x-codexway-dropped" not in chat.headers, chat.headers
    responses = raw_responses.create(model=MODEL, input="Say exactly hello")
    assert "x-codexway-dropped" not in responses.headers, responses.headers


@test
def a_stream_has_them_too():
    with client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=[user("Say exactly hello")], stream=True, temperature=0.2
    ) as streamed:
        assert streamed.headers["content-type"].startswith("text/event-stream")
        assert streamed.headers["x-request-id"].startswith("req_")
        assert streamed.headers["x-codexway-dropped"] == "temperature"
        text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed.parse())
    assert text == "hello", text


@test
def the_plans_limits_are_mapped():
    headers = raw_chat.create(model=MODEL, messages=[user("Say exactly hello")]).headers
    assert int(headers["x-codex-primary-used-percent"]) <= 100, headers
    assert int(headers["x-ratelimit-remaining-requests"]) >= 0, headers
    assert "set-cookie" not in headers, headers
