#!/usr/bin/env python3
"""Compares `tinygpt chat-template` with Python's jinja2, set up as transformers sets it up for chat templates.

    pip install jinja2==3.1.6
    scripts/fetch_vocabularies
    scripts/check_templates.py --tinygpt .build/release/tinygpt weights/vocabularies/templates

Renders forty conversations by each template (files, or folders of *.jinja) and by both engines: they must give the same
bytes, or both refuse. The conversations have a system message or not, many turns, tools, tool calls with their results,
Chinese, empty content, content in parts, reasoning, and roles in an order that templates refuse. With --show the sentence
of each refusal is printed, to see that both mean the same. Ends with status 1 if anything differs, with the first
differences shown.
"""
import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


# MARK: jinja2 as transformers has it (utils/chat_template_utils.py)

class Generation(jinja2.ext.Extension):
    """`{% generation %}` passes its body through."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_pass"), [], [], body).set_lineno(line)

    @jinja2.pass_eval_context
    def _pass(self, context, caller):
        return caller()


class Dictionary:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


class Namespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        members = dict(*args, **kwargs)
        for name in members:
            Namespace.check(name)
        jinja2.utils.Namespace.__init__(self, members)

    def __setitem__(self, name, value):
        Namespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)


def environment(now=None):
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def strftime_now(format):
        return (now or datetime.datetime.now()).strftime(format)

    env.filters["tojson"] = tojson
    env.globals |= {"raise_exception": raise_exception, "strftime_now": strftime_now, "dict": Dictionary(),
                    "namespace": Namespace}
    return env


# MARK: The conversations

def message(role, content, **more):
    return {"role": role, "content": content, **more}


def call(name, arguments, id="call00001"):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Get the weather at a place.\n\nNow or later.",
    "parameters": {"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": "The city's name, e.g. \"Köln\""},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
        "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 1.5e1}}},
    "return": {"type": "object", "properties": {"degrees": {"type": "number"}}}}}
SEARCH = {"type": "function", "function": {
    "name": "search", "description": "Sucht im Netz <html> & mehr: 搜索", "parameters": {
        "type": "object", "properties": {
            "query": {"type": "string"}, "filters": {"type": "array", "items": {"type": "object", "properties": {
                "key": {"type": "string"}, "value": {"anyOf": [{"type": "number"}, {"type": "boolean"}]}}}},
            "nested": {"type": "object", "properties": {"deep": {"type": "boolean", "description": "deep"}},
                       "additionalProperties": False}},
        "required": []}}}
NOTHING = {"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {
    "type": "object", "properties": {}}}}

SYSTEM = message("system", "You are a helpful assistant.")
HELLO = message("user", "Hello, how are you?")
FINE = message("assistant", "I am fine. And you?")
RAIN = message("user", "Does it rain in Köln?")
ASK = message("assistant", "", tool_calls=[call("get_weather", {"city": "Köln", "unit": "celsius"})])
TOLD = message("tool", '{"degrees": 21.5, "rain": false}', tool_call_id="call00001", name="get_weather")
SO = message("assistant", "No, it is 21.5 °C.")
TWO = message("assistant", None, tool_calls=[
    call("get_weather", {"city": "Rome", "days": 3, "flags": [True, None, 1.0, "x'y\"z"]}, "call00002"),
    call("search", {"query": "你好 <b>&</b>", "filters": [{"key": "a", "value": 1e-7}], "nested": {}}, "call00003")])
MANY = [message(role, f"Turn {n}: {text}") for n in range(6)
        for role, text in (("user", "what is " + "x" * n + "?"), ("assistant", "it is " + str(n / 3)))]
CHINESE = [message("system", "你是一个有帮助的助手。"), message("user", "请用一句话介绍北京。\n谢谢!"),
           message("assistant", "北京是中国的首都。"), message("user", "再说一句👍🏽")]
PARTS = message("user", [{"type": "text", "text": "What is "}, {"type": "text", "text": "this?"}])
IMAGE = message("user", [{"type": "image", "image": "file.png"}, {"type": "text", "text": "Describe the image."}])
THOUGHT = message("assistant", "Four.", reasoning_content="Two and two is four.\nSure.")
INLINE = message("assistant", "<think>\nTwo and two.\n</think>\n\nFour.")


def conversations():
    def chat(*messages, **more):
        return {"messages": list(messages), **more}

    tools = {"tools": [WEATHER, SEARCH]}
    return [
        # A system message or not; how it ends.
        chat(HELLO), chat(SYSTEM, HELLO), chat(SYSTEM, HELLO, FINE, RAIN), chat(HELLO, FINE, RAIN),
        chat(SYSTEM, HELLO, add_generation_prompt=False), chat(SYSTEM, HELLO, FINE, add_generation_prompt=False),
        chat(*MANY, HELLO), chat(SYSTEM, *MANY, add_generation_prompt=False), chat(*CHINESE), chat(*CHINESE[1:]),
        # Odd content.
        chat(message("user", "")), chat(message("system", ""), message("user", "  \n Hi \t ")),
        chat(SYSTEM, HELLO, message("assistant", ""), RAIN),
        chat(message("user", "<|im_start|>system\n</s>[INST] {{ x }} {% if %} <start_of_turn> & \"q\" 'r' \\n\r\n end")),
        chat(PARTS), chat(SYSTEM, PARTS, FINE, IMAGE), chat(message("system", [{"type": "text", "text": "Be brief."}]), IMAGE),
        chat(message("user", [])), chat(message("user", None)), chat(message("user", 42)),
        # Tools, calls, results.
        chat(RAIN, **tools), chat(SYSTEM, RAIN, **tools), chat(SYSTEM, RAIN, tools=[]), chat(RAIN, tools=[NOTHING]),
        chat(SYSTEM, RAIN, ASK, TOLD, **tools), chat(RAIN, ASK, TOLD, SO, HELLO, **tools),
        chat(SYSTEM, RAIN, TWO, TOLD, message("tool", "[1, 2]", tool_call_id="call00003", name="search"), SO,
             add_generation_prompt=False, **tools),
        chat(RAIN, message("assistant", "Let me see.", tool_calls=[call("get_weather", '{"city": "Köln"}')]), TOLD, **tools),
        chat(RAIN, message("assistant", "", tool_calls=[{"name": "now", "arguments": {}}]),
             message("tool", {"time": "12:00", "list": [1, 2.0, None, True]}), tools=[NOTHING]),
        chat(SYSTEM, RAIN, ASK, TOLD),
        chat(RAIN, ASK, message("tool", [{"type": "text", "text": "wet"}], tool_call_id="call00001"), **tools),
        # Reasoning and other variables.
        chat(HELLO, THOUGHT, RAIN), chat(HELLO, INLINE, RAIN, enable_thinking=True),
        chat(SYSTEM, HELLO, THOUGHT, RAIN, ASK, TOLD, enable_thinking=False, thinking=True, reasoning_effort="high", **tools),
        chat(message("developer", "Be brief."), HELLO, THOUGHT, add_generation_prompt=False),
        chat(SYSTEM, HELLO, documents=[{"title": "Doc", "text": "Rain in Köln.", "doc_id": 1, "content": "Rain."}]),
        # An order that many templates refuse.
        chat(HELLO, RAIN), chat(FINE, HELLO), chat(HELLO, SYSTEM, FINE), chat(SYSTEM, message("critic", "No."), TOLD),
    ]


# MARK: Comparing

def expected(env, path, chats):
    """For each conversation the text, or the error."""
    try:
        template = env.from_string(path.read_text(encoding="utf-8"))
    except Exception as error:
        return [error] * len(chats)
    results = []
    for chat in chats:
        values = {"tools": None, "documents": None, "add_generation_prompt": True, **chat}
        try:
            results.append(template.render(**values))
        except Exception as error:
            results.append(error)
    return results


def rendered(tinygpt, path, file):
    """For each conversation the text, or the error's sentence in a list."""
    environment = {name: value for name, value in os.environ.items() if name != "TINYGPT_MODEL"}
    run = subprocess.run([tinygpt, "chat-template", "--template-file", path, "--messages", file, "--lines"],
                         capture_output=True, encoding="utf-8", env=environment)
    lines = [json.loads(line) for line in run.stdout.split("\n") if line]
    if not lines or run.returncode not in (0, 1):
        return None, run.stderr.strip()
    return [line["text"] if "text" in line else [line["error"]] for line in lines], ""


def difference(wanted, found):
    """Where two texts part."""
    at = next((i for i, pair in enumerate(zip(wanted, found)) if pair[0] != pair[1]), min(len(wanted), len(found)))
    return f"from letter {at} on: {wanted[max(0, at - 30):at + 60]!r}, but {found[max(0, at - 30):at + 60]!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tinygpt", default=".build/release/tinygpt")
    parser.add_argument("--conversations", help="a file with one conversation a line instead of the forty")
    parser.add_argument("--write", help="write the forty conversations to this file, one a line, and end")
    parser.add_argument("--show", action="store_true", help="print what both say where they refuse")
    parser.add_argument("templates", nargs="*", help="files, or folders of *.jinja")
    options = parser.parse_args()

    if options.conversations:
        chats = [json.loads(line) for line in Path(options.conversations).read_text(encoding="utf-8").split("\n") if line]
    else:
        chats = [{**TOKENS, **chat} for chat in conversations()]
    text = "".join(json.dumps(chat, ensure_ascii=False) + "\n" for chat in chats)
    if options.write:
        Path(options.write).write_text(text, encoding="utf-8")
        return
    paths = [Path(name) for name in options.templates]
    paths = [file for path in paths for file in (sorted(path.glob("*.jinja")) if path.is_dir() else [path])]
    if not paths:
        sys.exit("check_templates: no template was named, or the folder holds no *.jinja")
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        sys.exit(f"check_templates: not there: {', '.join(missing)}")

    env = environment()
    bad = equal = refused = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        file = Path(folder) / "conversations.jsonl"
        file.write_text(text, encoding="utf-8")
        runs = [pool.submit(rendered, options.tinygpt, path, file) for path in paths]
        for path, run in zip(paths, runs):
            wanted = expected(env, path, chats)
            found, complaint = run.result()
            if found is None:
                # A template that cannot be read at all.
                found = [[complaint]] * len(chats)
            if len(found) != len(wanted):
                sys.exit(f"{path}: {len(found)} lines for {len(wanted)} conversations: {complaint}")
            for number, (a, b) in enumerate(zip(wanted, found)):
                if isinstance(a, str) and a == b:
                    equal += 1
                elif not isinstance(a, str) and not isinstance(b, str):
                    refused += 1
                    if options.show:
                        print(f"{path.name}, conversation {number}:\n  {type(a).__name__}: {a}\n  {b[0]}")
                else:
                    bad += 1
                    if bad <= 40:
                        what = (difference(a, b) if isinstance(a, str) and isinstance(b, str)
                                else f"jinja2 gives {a[:80]!r}, but {b[0]}" if isinstance(a, str)
                                else f"jinja2 raises {type(a).__name__}: {a}, but {b[:80]!r}")
                        print(f"{path.name}, conversation {number}: {what}")
    print(f"{len(paths)} templates, {len(chats)} conversations: {equal} equal, {refused} refused by both, {bad} differ")
    # Where nothing was rendered nothing was compared, whoever refused it.
    sys.exit(1 if bad or not equal else 0)


if __name__ == "__main__":
    main()
