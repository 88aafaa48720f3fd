"""Responses and conversations that are kept, and fields that the backend does not know."""

import openai

from runner import test
from support import MODEL, Event, client, user


def ask(input, **more):
    return client.responses.create(model=MODEL, input=input, **more)


def chat(text, **more):
    return client.chat.completions.create(model=MODEL, messages=[user(text)], **more)


def refused(call, kind):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"nothing was refused as {kind.__name__}")


@test
def a_response_goes_on_from_the_one_before():
    first = ask("Say exactly one")
    second = ask("Say exactly two", previous_response_id=first.id)
    assert second.previous_response_id == first.id and second.output_text == "two", second
    assert second.usage.input_tokens > first.usage.input_tokens, second.usage
    error = refused(lambda: ask("x", previous_response_id="resp_0"), openai.BadRequestError)
    assert error.code == "previous_response_not_found", error
    assert error.param == "previous_response_id", error


@test
def a_response_is_retrieved_listed_and_deleted():
    made = ask([user("Say exactly hello"), user("Say exactly bye")], metadata={"a": "b"})
    found = client.responses.retrieve(made.id)
    assert found == made, (found, made)
    items = list(client.responses.input_items.list(made.id, limit=1, order="asc"))
    texts = [item.content[0].text for item in items]
    assert texts == ["Say exactly hello", "Say exactly bye"], items
    client.responses.delete(made.id)
    error = refused(lambda: client.responses.retrieve(made.id), openai.NotFoundError)
    assert f"Response with id '{made.id}' not found." in error.message, error
    unkept = ask("hi", store=False)
    refused(lambda: client.responses.retrieve(unkept.id), openai.NotFoundError)


@test
def a_background_response_is_polled_to_its_end():
    response = ask("Say exactly done", background=True)
    assert response.status == "queued", response
    seen = list(client.responses.retrieve(response.id, stream=True))
    assert seen[-1].type == "response.completed", seen
    ended = client.responses.retrieve(response.id)
    assert (ended.status, ended.output_text) == ("completed", "done"), ended
    rest = list(client.responses.retrieve(response.id, stream=True, starting_after=2))
    assert [event.sequence_number for event in rest] == list(range(3, len(seen))), rest


@test
def a_streamed_background_response_is_taken_up_again():
    numbers = []
    for event in ask("Count to 12", background=True, stream=True):
        numbers.append(event.sequence_number)
        if event.type == "response.created":
            made = event.response.id
        if len(numbers) == 5:
            break
    for event in client.responses.retrieve(made, stream=True, starting_after=numbers[-1]):
        numbers.append(event.sequence_number)
    assert numbers == list(range(len(numbers))), numbers
    assert event.type == "response.completed", event


@test
def a_synchronous_response_cannot_be_cancelled():
    response = ask("hi")
    error = refused(lambda: client.responses.cancel(response.id), openai.BadRequestError)
    assert "Cannot cancel a synchronous response." in error.message, error


@test
def a_conversation_is_gone_on_with_and_deleted():
    conversation = client.conversations.create(
        metadata={"topic": "x"}, items=[{"type": "message", **user("Say exactly zero")}]
    )
    response = ask("Say exactly one", conversation=conversation.id)
    assert response.conversation.id == conversation.id, response
    items = list(client.conversations.items.list(conversation.id, order="asc"))
    texts = [item.content[0].text for item in items if item.type == "message"]
    assert texts == ["Say exactly zero", "Say exactly one", "one"], items
    found = client.conversations.items.retrieve(items[0].id, conversation_id=conversation.id)
    assert found.id == items[0].id, found
    updated = client.conversations.update(conversation.id, metadata={"topic": "y"})
    assert updated.metadata == {"topic": "y"}, updated
    assert client.conversations.delete(conversation.id).deleted
    refused(lambda: client.conversations.retrieve(conversation.id), openai.NotFoundError)


@test
def a_request_is_counted_and_a_conversation_compacted():
    counted = client.responses.input_tokens.count(model=MODEL, input="hello " * 100)
    assert 90 < counted.input_tokens < 130, counted
    compacted = client.responses.compact(model=MODEL, input=[user("first"), user("second")])
    assert compacted.object == "response.compaction", compacted
    assert [item.type for item in compacted.output][-1] == "compaction", compacted
    again = [item.to_dict() for item in compacted.output] + [user("Say exactly yes")]
    assert ask(again).output_text == "yes"


@test
def an_answer_stops_where_it_is_told_to():
    answer = chat("Count to 12", stop=["7", "9"])
    assert answer.choices[0].message.content == "1, 2, 3, 4, 5, 6, ", answer
    assert answer.choices[0].finish_reason == "stop", answer
    chunks = list(chat("Count to 12", stop="7", stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert (text, chunks[-1].choices[0].finish_reason) == ("1, 2, 3, 4, 5, 6, ", "stop"), text


@test
def an_answer_is_as_long_as_it_may_be():
    answer = chat("Count to 12", max_tokens=4)
    assert answer.choices[0].finish_reason == "length", answer
    assert answer.usage.completion_tokens >= 4, answer.usage
    text = answer.choices[0].message.content
    assert text and "1, 2, 3, 4, 5".startswith(text), answer
    response = ask("Count to 12", max_output_tokens=4)
    assert response.status == "incomplete", response
    assert response.incomplete_details.reason == "max_output_tokens", response
    assert response.output_text == text, response


@test
def there_are_as_many_choices_as_are_asked_for():
    answer = chat("Say exactly yes", n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2], answer
    assert {choice.message.content for choice in answer.choices} == {"yes"}, answer
    with client.chat.completions.stream(
        model=MODEL, messages=[user("Say exactly yes")], n=2
    ) as stream:
        final = stream.get_final_completion()
    assert [choice.message.content for choice in final.choices] == ["yes", "yes"], final


@test
def the_helper_for_structured_output_knows_a_cut_answer():
    refused(
        lambda: client.chat.completions.parse(
            model=MODEL,
            messages=[user("Make an event of it")],
            response_format=Event,
            max_tokens=3,
        ),
        openai.LengthFinishReasonError,
    )
