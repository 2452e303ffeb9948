#!/usr/bin/env python3
"""The packages `openai` and `anthropic`, as they come from PyPI, talk to `tinygpt serve`.

    python scripts/check_clients.py --tinygpt BINARY [--model MODEL] [-- --precision exact --slots 2]

Starts the server on a free port, with a key. What is checked does not depend on the model: it needs a tokenizer, a chat
template and room for some hundred tokens. Without --model it is the tiny model of the tests. Needs the packages of
requirements-test.txt, no network, and some seconds.
"""

import argparse
import asyncio
import json
import math
import re
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anthropic
import jsonschema
import openai
import openapi_spec_validator

from server_under_test import Server, talking_fixture

KEY = "a-key-for-the-tests"
QUESTION = [
    {"role": "system", "content": "You answer in one sentence."},
    {"role": "user", "content": "Which planet is the largest? 最大的行星是哪个？"},
]
LENGTH = 24
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Clients:
    def __init__(self, server: Server):
        self.server = server
        self.openai = openai.OpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=0, timeout=60)
        self.anthropic = anthropic.Anthropic(base_url=server.url, api_key=KEY, max_retries=0, timeout=60)
        self.model = self.openai.models.list().data[0].id

    def chat(self, **options):
        arguments = {"model": self.model, "messages": QUESTION, "temperature": 0, "max_completion_tokens": LENGTH}
        return self.openai.chat.completions.create(**{**arguments, **options})

    def complete(self, prompt, **options):
        arguments = {"model": self.model, "prompt": prompt, "temperature": 0, "max_tokens": LENGTH}
        return self.openai.completions.create(**{**arguments, **options})

    def respond(self, **options):
        arguments = {"model": self.model, "input": QUESTION, "temperature": 0, "max_output_tokens": LENGTH}
        return self.openai.responses.create(**{**arguments, **options})

    def message_arguments(self, **options):
        arguments = {
            "model": self.model, "system": QUESTION[0]["content"], "messages": QUESTION[1:], "max_tokens": LENGTH,
            "extra_body": {"temperature": 0},
        }
        return {**arguments, **options}

    def message(self, **options):
        return self.anthropic.messages.create(**self.message_arguments(**options))


def equal(found, expected, what: str = ""):
    assert found == expected, f"{what}\n    found    {found!r}\n    expected {expected!r}"


def refused(kind, call, name: str = ""):
    """The error that a call ends with."""
    try:
        answer = call()
    except kind as error:
        return error
    raise AssertionError(f"{name}: no {kind.__name__} but {answer!r}")


# OpenAI: chat


@check
def models(c: Clients):
    models = c.openai.models.list().data
    equal([model.object for model in models], ["model"] * len(models))
    equal(c.openai.models.retrieve(c.model).id, c.model)
    refused(openai.NotFoundError, lambda: c.openai.models.retrieve("no such model"))


@check
def chat(c: Clients):
    answer = c.chat()
    choice = answer.choices[0]
    equal((answer.object, answer.model, len(answer.choices)), ("chat.completion", c.model, 1))
    equal((choice.index, choice.message.role), (0, "assistant"))
    assert choice.message.content, "an empty answer"
    usage = answer.usage
    assert 0 < usage.completion_tokens <= LENGTH and usage.prompt_tokens > 10, usage
    equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
    equal(choice.finish_reason, "length" if usage.completion_tokens == LENGTH else "stop")
    equal(c.chat().choices[0].message.content, choice.message.content, "greedy twice")
    assert c.chat().id != answer.id


@check
def chat_limits(c: Clients):
    for name in ["max_completion_tokens", "max_tokens"]:
        answer = c.openai.chat.completions.create(model=c.model, messages=QUESTION, temperature=0, **{name: 1})
        equal((answer.usage.completion_tokens, answer.choices[0].finish_reason), (1, "length"))


@check
def chat_parts(c: Clients):
    parts = [
        QUESTION[0],
        {"role": "user", "content": [{"type": "text", "text": QUESTION[1]["content"]}]},
    ]
    equal(c.chat(messages=parts).choices[0].message.content, c.chat().choices[0].message.content)


@check
def chat_seed(c: Clients):
    texts = [c.chat(temperature=1.2, seed=seed).choices[0].message.content for seed in [1, 1, 2, 3]]
    equal(texts[0], texts[1], "one seed twice")
    assert len(set(texts)) > 1, f"three seeds, one text: {texts[0]!r}"


@check
def chat_many(c: Clients):
    answer = c.chat(n=3, temperature=1.2, seed=5, logprobs=True)
    equal([choice.index for choice in answer.choices], [0, 1, 2])
    texts = [choice.message.content for choice in answer.choices]
    assert len(set(texts)) > 1, f"three times {texts[0]!r}"
    tokens = sum(len(choice.logprobs.content) for choice in answer.choices)
    equal(answer.usage.completion_tokens, tokens, "tokens of all choices")
    again = c.chat(n=3, temperature=1.2, seed=5)
    equal([choice.message.content for choice in again.choices], texts, "the same seed")


@check
def chat_stop(c: Clients):
    whole = c.chat().choices[0].message.content
    stop = whole[len(whole) // 2:][:3]
    answer = c.chat(stop=["no such text in it", stop])
    equal(answer.choices[0].message.content, whole[:whole.index(stop)])
    equal(answer.choices[0].finish_reason, "stop")


@check
def chat_logprobs(c: Clients):
    choice = c.chat(logprobs=True, top_logprobs=5).choices[0]
    check_logprobs(choice.logprobs.content, choice.message.content, 5)


def check_logprobs(content, text: str, top: int):
    equal(b"".join(bytes(token.bytes) for token in content).decode(errors="replace"), text, "the tokens' bytes")
    for token in content:
        assert token.logprob <= 0, token
        equal(len(token.top_logprobs), top)
        likely = [candidate.logprob for candidate in token.top_logprobs]
        equal(likely, sorted(likely, reverse=True), "candidates in order")
        assert sum(map(math.exp, likely)) <= 1.0001, likely
        equal(token.logprob, likely[0], "greedy takes the likeliest")


@check
def chat_stream(c: Clients):
    whole = c.chat()
    chunks = list(c.chat(stream=True))
    equal({chunk.id for chunk in chunks}, {chunks[0].id})
    equal({chunk.object for chunk in chunks}, {"chat.completion.chunk"})
    equal(chunks[0].choices[0].delta.role, "assistant")
    equal(text(chunks), whole.choices[0].message.content)
    ends = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    equal(ends, [None] * (len(ends) - 1) + [whole.choices[0].finish_reason])
    assert all(chunk.usage is None for chunk in chunks)
    assert len(chunks) > 4, f"{len(chunks)} chunks are no stream"


def text(chunks, index: int = 0) -> str:
    choices = [choice for chunk in chunks for choice in chunk.choices]
    return "".join(choice.delta.content or "" for choice in choices if choice.index == index)


@check
def chat_stream_usage(c: Clients):
    chunks = list(c.chat(stream=True, stream_options={"include_usage": True}))
    equal(chunks[-1].choices, [])
    expected = c.chat().usage
    equal(chunks[-1].usage.prompt_tokens, expected.prompt_tokens)
    equal(chunks[-1].usage.completion_tokens, expected.completion_tokens)
    assert all(chunk.usage is None for chunk in chunks[:-1])


@check
def chat_stream_many(c: Clients):
    options = {"n": 2, "temperature": 1.2, "seed": 9}
    chunks = list(c.chat(stream=True, **options))
    expected = [choice.message.content for choice in c.chat(**options).choices]
    equal([text(chunks, 0), text(chunks, 1)], expected)


@check
def chat_stream_logprobs(c: Clients):
    chunks = list(c.chat(stream=True, logprobs=True, top_logprobs=2))
    found = [t for chunk in chunks for choice in chunk.choices if choice.logprobs for t in choice.logprobs.content or []]
    check_logprobs(found, text(chunks), 2)
    expected = c.chat(logprobs=True, top_logprobs=2).choices[0].logprobs.content
    equal([token.token for token in found], [token.token for token in expected])


@check
def chat_stream_helper(c: Clients):
    whole = c.chat().choices[0].message.content
    stop = whole[len(whole) // 2:][:3]
    with c.openai.chat.completions.stream(
        model=c.model, messages=QUESTION, temperature=0, max_completion_tokens=LENGTH, stop=stop
    ) as stream:
        kinds = {event.type for event in stream}
        answer = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds, kinds
    equal(answer.choices[0].message.content, whole[:whole.index(stop)])


@check
def chat_company(c: Clients):
    """A request says the same alone and among others."""
    questions = [[{"role": "user", "content": f"Tell me about the number {n}."}] for n in range(6)]
    alone = [c.chat(messages=question).choices[0].message.content for question in questions]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda q: c.chat(messages=q).choices[0].message.content, questions))
    equal(together, alone)


@check
def chat_turns(c: Clients):
    first = c.chat().choices[0].message.content
    talk = QUESTION + [{"role": "assistant", "content": first}, {"role": "user", "content": "And the smallest?"}]
    answer = c.chat(messages=talk)
    assert answer.usage.prompt_tokens > c.chat().usage.prompt_tokens
    cached = answer.usage.prompt_tokens_details.cached_tokens
    assert 0 < cached < answer.usage.prompt_tokens, f"{cached} tokens came from the cache"
    equal(c.chat(messages=talk).choices[0].message.content, answer.choices[0].message.content)


# OpenAI: completions

PROMPT = "The sun rises in the east and sets in the west. 太阳"


@check
def completion(c: Clients):
    answer = c.complete(PROMPT)
    equal((answer.object, answer.choices[0].index), ("text_completion", 0))
    assert answer.choices[0].text and not answer.choices[0].text.startswith(PROMPT)
    pieces = [chunk.choices[0].text for chunk in c.complete(PROMPT, stream=True) if chunk.choices]
    equal("".join(pieces), answer.choices[0].text)


@check
def completion_echo(c: Clients):
    alone = c.complete(PROMPT).choices[0].text
    equal(c.complete(PROMPT, echo=True).choices[0].text, PROMPT + alone)
    scored = c.complete(PROMPT, echo=True, logprobs=3, max_tokens=0)
    choice = scored.choices[0]
    equal(choice.text, PROMPT)
    equal(scored.usage.completion_tokens, 0)
    count = scored.usage.prompt_tokens
    logprobs = choice.logprobs
    equal([len(logprobs.tokens), len(logprobs.token_logprobs), len(logprobs.text_offset)], [count] * 3)
    equal(logprobs.token_logprobs[0], None, "nothing comes before the first token")
    assert all(score <= 0 for score in logprobs.token_logprobs[1:]), logprobs.token_logprobs
    equal(logprobs.text_offset, sorted(logprobs.text_offset))
    assert all(len(top) >= 3 for top in logprobs.top_logprobs[1:] if top), "candidates"
    # The same numbers where the text is written by the model itself.
    both = c.complete(PROMPT, echo=True, logprobs=1).choices[0].logprobs
    equal(both.tokens[:count], logprobs.tokens)
    for a, b in zip(both.token_logprobs[1:count], logprobs.token_logprobs[1:]):
        assert abs(a - b) < 1e-3, (a, b)


@check
def completion_tokens(c: Clients):
    ids = c.server.json("/tokenize", {"content": PROMPT})["tokens"]
    equal(c.server.json("/detokenize", {"tokens": ids})["content"], PROMPT)
    answer = c.complete([ids, ids[:5]], max_tokens=4)
    equal([choice.index for choice in answer.choices], [0, 1])
    equal(answer.choices[1].text, c.complete(ids[:5], max_tokens=4).choices[0].text)


@check
def completion_many(c: Clients):
    answer = c.complete(["One, two,", "Red, green,"], n=2, temperature=1, seed=4, max_tokens=3)
    equal([choice.index for choice in answer.choices], [0, 1, 2, 3])


# OpenAI: errors


@check
def bad_values(c: Clients):
    cases = [
        ("temperature", {"temperature": 3}), ("top_p", {"top_p": 1.5}), ("n", {"n": 0}),
        ("max_completion_tokens", {"max_completion_tokens": -1}), ("messages", {"messages": []}),
        ("top_logprobs", {"logprobs": True, "top_logprobs": 1000}), ("presence_penalty", {"presence_penalty": 9}),
        ("temperature", {"extra_body": {"temperature": "hot"}}), ("stop", {"stop": [""]}), ("seed", {"extra_body": {"seed": 0.5}}),
        ("messages[1].role", {"messages": [QUESTION[0], {"role": "wizard", "content": "x"}]}),
    ]
    for name, options in cases:
        error = refused(openai.BadRequestError, lambda: c.chat(**options), name)
        assert error.param and error.param.split("[")[0] == name.split("[")[0], f"{name}: param is {error.param!r}"
        assert name.split("[")[0] in error.message and error.type == "invalid_request_error", error.body


@check
def unsupported(c: Clients):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    cases = [
        ("tools", {"tools": [tool]}), ("logit_bias", {"logit_bias": {"5": 1}}), ("mystery", {"extra_body": {"mystery": 1}}),
        ("response_format", {"response_format": {"type": "json_object"}}),
        ("messages", {"messages": [{"role": "user", "content": [image]}]}),
    ]
    for name, options in cases:
        error = refused(openai.BadRequestError, lambda: c.chat(**options), name)
        assert (error.param or "").startswith(name), f"{name}: param is {error.param!r}"
    c.chat(user="somebody", store=False, metadata={"a": "b"}, extra_body={"tools": []})


@check
def unknown_model(c: Clients):
    error = refused(openai.NotFoundError, lambda: c.chat(model="no such model"))
    equal((error.param, error.code), ("model", "model_not_found"))
    assert "no such model" in error.message and c.model in error.message


@check
def too_long(c: Clients):
    long = [{"role": "user", "content": "word " * 60_000}]
    for kind, call in [
        (openai.BadRequestError, lambda: c.chat(messages=long)),
        (openai.BadRequestError, lambda: c.complete("word " * 60_000)),
        (openai.BadRequestError, lambda: c.respond(input=long)),
        (anthropic.BadRequestError, lambda: c.message(messages=long)),
    ]:
        error = refused(kind, call)
        numbers = [int(number) for number in re.findall(r"\d+", error.message)]
        assert any(n >= 60_000 for n in numbers) and any(16 <= n < 60_000 for n in numbers), error.message
        if kind is openai.BadRequestError:
            equal(error.code, "context_length_exceeded")


@check
def keys(c: Clients):
    for key in ["wrong", KEY + "x", KEY[:-1]]:
        wrong = openai.OpenAI(base_url=c.server.url + "/v1", api_key=key, max_retries=0)
        refused(openai.AuthenticationError, lambda: wrong.models.list())
        refused(openai.AuthenticationError, lambda: wrong.chat.completions.create(model=c.model, messages=QUESTION))
        other = anthropic.Anthropic(base_url=c.server.url, api_key=key, max_retries=0)
        error = refused(anthropic.AuthenticationError, lambda: other.messages.create(**c.message_arguments()))
        equal(error.body["error"]["type"], "authentication_error")


# OpenAI: responses


@check
def responses(c: Clients):
    answer = c.respond()
    expected = c.chat()
    equal(answer.output_text, expected.choices[0].message.content)
    equal(answer.usage.input_tokens, expected.usage.prompt_tokens)
    equal(answer.usage.output_tokens, expected.usage.completion_tokens)
    equal(answer.usage.total_tokens, expected.usage.total_tokens)
    ended = expected.choices[0].finish_reason == "stop"
    equal(answer.status, "completed" if ended else "incomplete")
    equal(answer.incomplete_details and answer.incomplete_details.reason, None if ended else "max_output_tokens")
    equal((answer.object, answer.output[0].type, answer.output[0].role), ("response", "message", "assistant"))
    by_instructions = c.respond(instructions=QUESTION[0]["content"], input=QUESTION[1]["content"])
    equal(by_instructions.output_text, answer.output_text)
    # What came out goes in again.
    again = c.respond(input=[*QUESTION, *[item.model_dump() for item in answer.output], {"role": "user", "content": "Why?"}])
    assert again.usage.input_tokens > answer.usage.input_tokens


@check
def responses_stream(c: Clients):
    events = list(c.respond(stream=True))
    equal([event.sequence_number for event in events], list(range(len(events))))
    kinds = [event.type.removeprefix("response.") for event in events if event.type != "response.output_text.delta"]
    expected = c.respond()
    equal(kinds, [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.done", "content_part.done",
        "output_item.done", expected.status,
    ])
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    last = events[-1].response
    equal([deltas, last.output_text], [expected.output_text] * 2)
    equal(last.usage.output_tokens, expected.usage.output_tokens)
    equal(events[0].response.status, "in_progress")


@check
def responses_stream_helper(c: Clients):
    with c.openai.responses.stream(model=c.model, input=QUESTION, temperature=0, max_output_tokens=400) as stream:
        for event in stream:
            if event.type in ("response.completed", "response.incomplete"):
                last = event.response
    equal(last.output_text, c.respond(max_output_tokens=400).output_text)


@check
def responses_errors(c: Clients):
    cases = [
        ("previous_response_id", {"previous_response_id": "resp_1"}), ("temperature", {"temperature": -1}),
        ("tools", {"tools": [{"type": "web_search"}]}), ("text.format", {"text": {"format": {"type": "json_object"}}}),
        ("max_output_tokens", {"max_output_tokens": 0}), ("input", {"input": []}), ("store", {"store": True}),
        ("input[0].content[0].type", {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}),
    ]
    for name, options in cases:
        error = refused(openai.BadRequestError, lambda: c.respond(**options), name)
        equal(error.param, name)
    c.respond(store=False, truncation="disabled", text={"format": {"type": "text"}}, metadata={"a": "b"})


# Anthropic


@check
def messages(c: Clients):
    answer = c.message()
    expected = c.chat()
    equal((answer.type, answer.role, answer.model, len(answer.content)), ("message", "assistant", c.model, 1))
    equal(answer.content[0].text, expected.choices[0].message.content, "Anthropic's and OpenAI's")
    equal(answer.stop_reason, "end_turn" if expected.choices[0].finish_reason == "stop" else "max_tokens")
    usage = answer.usage
    equal(usage.output_tokens, expected.usage.completion_tokens)
    equal(usage.input_tokens + usage.cache_read_input_tokens, expected.usage.prompt_tokens)
    blocks = c.message(
        system=[{"type": "text", "text": QUESTION[0]["content"], "cache_control": {"type": "ephemeral"}}],
        messages=[{"role": "user", "content": [{"type": "text", "text": QUESTION[1]["content"]}]}])
    equal(blocks.content[0].text, answer.content[0].text)
    again = c.message(messages=QUESTION[1:] + [answer.to_param(), {"role": "user", "content": "Why?"}])
    assert again.usage.input_tokens + again.usage.cache_read_input_tokens > expected.usage.prompt_tokens


@check
def messages_stream(c: Clients):
    expected = c.message()
    events = list(c.message(stream=True))
    kinds = [event.type for event in events if event.type != "content_block_delta"]
    equal(kinds, ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"])
    equal("".join(event.delta.text for event in events if event.type == "content_block_delta"), expected.content[0].text)
    start, end = events[0].message, events[-2]
    equal((start.content, start.stop_reason), ([], None))
    equal((end.delta.stop_reason, end.usage.output_tokens), (expected.stop_reason, expected.usage.output_tokens))
    with c.anthropic.messages.stream(**c.message_arguments()) as stream:
        equal("".join(stream.text_stream), expected.content[0].text)
        final = stream.get_final_message()
    equal([block.model_dump() for block in final.content], [block.model_dump() for block in expected.content])
    equal(final.usage.output_tokens, expected.usage.output_tokens)


@check
def messages_count(c: Clients):
    count = c.anthropic.messages.count_tokens(model=c.model, system=QUESTION[0]["content"], messages=QUESTION[1:])
    equal(count.input_tokens, c.chat().usage.prompt_tokens)


@check
def messages_stop(c: Clients):
    whole = c.message().content[0].text
    stop = whole[len(whole) // 2:][:3]
    answer = c.message(stop_sequences=["no such text in it", stop])
    equal((answer.stop_reason, answer.stop_sequence), ("stop_sequence", stop))
    equal("".join(block.text for block in answer.content), whole[:whole.index(stop)])
    events = list(c.message(stop_sequences=[stop], stream=True))
    equal((events[-2].delta.stop_reason, events[-2].delta.stop_sequence), ("stop_sequence", stop))


@check
def messages_prefill(c: Clients):
    """An answer that is begun is gone on with: from most places of the model's own answer, to the same end."""
    before = c.chat().usage.prompt_tokens

    def go_on(begun: str, length: int) -> str:
        answer = c.message(messages=QUESTION[1:] + [{"role": "assistant", "content": begun}], max_tokens=length)
        read = answer.usage.input_tokens + answer.usage.cache_read_input_tokens
        added = len(c.server.json("/tokenize", {"content": begun, "parse_special": False})["tokens"])
        assert before < read <= before + added, f"{read} tokens, {before} without the {added} of {begun!r}"
        return "".join(block.text for block in answer.content)

    assert go_on("The answer is", 5) == go_on("The answer is", 5) != c.message(max_tokens=5).content[0].text
    tokens = [bytes(token.bytes) for token in c.chat(logprobs=True).choices[0].logprobs.content]
    whole = b"".join(tokens).decode(errors="replace")
    places, same = 0, 0
    for count in range(2, len(tokens) - 1, 3):
        begun = b"".join(tokens[:count]).decode(errors="replace")
        # Where the answer is in the middle of a character, or holds a special token, no text has these tokens.
        if "\ufffd" in begun or "<|" in begun or begun[-1].isspace():
            continue
        places += 1
        same += begun + go_on(begun, LENGTH - count) == whole
    assert same * 2 >= places, f"{same} of {places} answers went on as they had"


@check
def messages_errors(c: Clients):
    tool = {"name": "f", "description": "", "input_schema": {"type": "object", "properties": {}}}
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    cases = [
        ("temperature", {"extra_body": {"temperature": 1.5}}), ("max_tokens", {"max_tokens": -1}),
        ("tools", {"tools": [tool]}), ("thinking", {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        ("messages", {"messages": []}), ("messages[0].content", {"messages": [{"role": "user", "content": [image]}]}),
        ("messages[0].content", {"messages": [{"role": "user", "content": ""}]}), ("top_k", {"extra_body": {"top_k": -2}}),
        ("stop_sequences", {"stop_sequences": [""]}), ("mystery", {"extra_body": {"mystery": 1}}),
        ("messages[1].content", {"messages": QUESTION[1:] + [{"role": "assistant", "content": "It is "}]}),
        ("max_tokens", {"max_tokens": None}),
    ]
    for name, options in cases:
        error = refused(anthropic.BadRequestError, lambda: c.message(**options), name)
        equal((error.body["type"], error.body["error"]["type"]), ("error", "invalid_request_error"))
        assert name in error.body["error"]["message"], f"{name} is not in {error.body}"
    error = refused(anthropic.NotFoundError, lambda: c.message(model="no such model"))
    equal(error.body["error"]["type"], "not_found_error")
    assert error.request_id and error.body.get("request_id") == error.request_id, error.body
    c.message(metadata={"user_id": "somebody"}, thinking={"type": "disabled"})


# Leaving early

LONG = {"max_completion_tokens": 1500, "temperature": 1.5, "seed": 3}


@check
def cancel(c: Clients):
    """A stream that is closed gives its slot back, while it is read and while it is decoded."""
    for _ in range(3):
        stream = c.chat(stream=True, **LONG)
        for _, _ in zip(range(3), stream):
            pass
        stream.close()
        c.server.wait_until_idle()
    with c.anthropic.messages.stream(**c.message_arguments(max_tokens=1500)) as stream:
        next(iter(stream))
    c.server.wait_until_idle()
    c.chat()


@check
def cancel_many(c: Clients):
    """Of more requests than there are slots, some waiting, all leave."""

    async def leave():
        client = openai.AsyncOpenAI(base_url=c.server.url + "/v1", api_key=KEY, max_retries=0)

        async def one(seconds: float):
            call = client.chat.completions.create(model=c.model, messages=QUESTION, **LONG)
            try:
                await asyncio.wait_for(call, seconds)
            except (TimeoutError, asyncio.TimeoutError):
                pass

        await asyncio.gather(*[one(0.05 * n) for n in range(1, 13)])
        await client.close()

    asyncio.run(leave())
    c.server.wait_until_idle()
    equal(c.chat().choices[0].message.role, "assistant")


@check
def metrics(c: Clients):
    before = [c.server.metric(f"tinygpt_{name}_total") for name in ["generated_tokens", "prompt_tokens"]]
    usage = c.chat().usage
    after = [c.server.metric(f"tinygpt_{name}_total") for name in ["generated_tokens", "prompt_tokens"]]
    equal([b - a for a, b in zip(before, after)], [usage.completion_tokens, usage.prompt_tokens])


# The document of the interface


@check
def openapi(c: Clients):
    """It is valid, and answers are as it says."""
    document = c.server.json("/openapi.json")
    openapi_spec_validator.validate(document)
    question = {"messages": QUESTION, "max_tokens": 4}
    asked = {"model": c.model, "messages": QUESTION[1:], "max_tokens": 4}
    for path, body in [
        ("/health", None), ("/v1/models", None), ("/v1/models/" + c.model, None), ("/tokenize", {"content": PROMPT}),
        ("/tokenize", {"content": PROMPT, "with_pieces": True}), ("/detokenize", {"tokens": [1]}),
        ("/v1/chat/completions", question), ("/v1/chat/completions", {**question, "logprobs": True, "top_logprobs": 2}),
        ("/v1/completions", {"prompt": PROMPT, "echo": True, "logprobs": 1}), ("/v1/messages", asked),
        ("/v1/responses", {"input": "Hello", "max_output_tokens": 3, "top_logprobs": 1}),
        ("/v1/messages/count_tokens", {key: asked[key] for key in ["model", "messages"]}),
    ]:
        route = "/v1/models/{model}" if path.startswith("/v1/models/") else path
        operation = document["paths"][route]["get" if body is None else "post"]
        if body is not None:
            validate(body, operation["requestBody"]["content"]["application/json"]["schema"], document)
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        validate(c.server.json(path, body), schema, document)


def validate(value, schema, document):
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tinygpt", type=Path, default=Path(".build/release/tinygpt"))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--only", help="checks whose names hold this")
    parser.add_argument("arguments", nargs="*", help="further arguments of serve, behind --")
    options = parser.parse_args()
    chosen = [function for function in CHECKS if (options.only or "") in function.__name__]
    if not chosen:
        sys.exit(f"no check is called {options.only}")
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or talking_fixture(Path(folder))
        failed = run(chosen, Server(options.tinygpt, model, KEY, options.arguments))
    print(f"{len(chosen)} checks with openai {openai.__version__} and anthropic {anthropic.__version__}: "
          f"{len(chosen) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


def run(checks: list, new: Server) -> list:
    """Names of the checks that fail."""
    failed = []
    with new as server:
        clients = Clients(server)
        for function in checks:
            started = time.monotonic()
            try:
                function(clients)
                print(f"ok     {time.monotonic() - started:5.1f} s  {function.__name__}")
            except Exception as error:
                failed.append(function.__name__)
                print(f"FAILED {time.monotonic() - started:5.1f} s  {function.__name__}: {error!r}".replace("\\n", "\n"))
                if not isinstance(error, AssertionError):
                    traceback.print_exc()
                server.must_run()
    return failed


if __name__ == "__main__":
    main()
