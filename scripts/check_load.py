#!/usr/bin/env python3
"""Puts a load on `tinygpt serve`, and tells whether it bears it.

    scripts/check_load.py --tinygpt .build-serve/release/tinygpt [--model FILE] [PART...]

Without a model it is the tiny one of the tests.

Parts, each with its own server; all of them if none is named:

    streams      --streams clients at once for --seconds: each answer is what the same request gives alone
    disconnects  --disconnects clients that go away at random moments, in the queue, while their prompt is read, and while
                 they are answered: afterwards nothing runs, and memory is back to where it was
    hostile      --hostile malformed requests: every answer is a 4xx, and /health answers throughout
    slow         --slow clients that send or take a byte now and then: others are answered as fast as without them
    chats        tokens a second of --chats conversations at once, and of one; with --against URL, of another server with
                 an OpenAI-compatible API at the same time of day, by turns

Needs Python 3 alone. Ends with 1 if something does not hold.
"""
import argparse
import asyncio
import json
import random
import re
import signal
import statistics
import string
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from server_under_test import talking_fixture


class Fault(Exception):
    """What did not hold."""


# ---- A client ---------------------------------------------------------------------------------------------------------

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def http(path, body=None, method=None, headers=()):
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    method = method or ("GET" if body is None else "POST")
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return (head + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n").encode() + data


async def read_answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while True:
            size = int((await reader.readline()).split(b";")[0], 16)
            body += await reader.readexactly(size)
            await reader.readexactly(2)
            if size == 0:
                break
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = await reader.read()
    return Answer(int(lines[0].split()[1]), headers, body)


async def ask(port, path, body=None, method=None, headers=(), host="127.0.0.1"):
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(http(path, body, method, headers))
        await writer.drain()
        return await read_answer(reader)
    finally:
        writer.close()


async def events(port, path, body, host="127.0.0.1"):
    """The data of server-sent events, each with the moment it came."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(http(path, body))
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise Fault(f"{head.split(chr(13).encode())[0].decode()}: {(await reader.read())[:300]!r}")
        buffer = b""
        chunked = b"transfer-encoding: chunked" in head.lower()
        while True:
            if chunked:
                size = int((await reader.readline()).split(b";")[0], 16)
                buffer += await reader.readexactly(size)
                await reader.readexactly(2)
            else:
                part = await reader.read(65536)
                size = len(part)
                buffer += part
            while b"\n\n" in buffer.replace(b"\r\n", b"\n"):
                event, _, buffer = buffer.replace(b"\r\n", b"\n").partition(b"\n\n")
                for line in event.split(b"\n"):
                    if line.startswith(b"data: "):
                        if line == b"data: [DONE]":
                            return
                        yield time.monotonic(), json.loads(line[6:])
            if size == 0:
                raise Fault("a stream ended without [DONE]")
    finally:
        writer.close()


# ---- The server ---------------------------------------------------------------------------------------------------------

class Server:
    def __init__(self, arguments, options):
        command = [arguments.tinygpt, "serve", "--port", "0", "--model", arguments.model, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.lines = []
        self.port = None
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"http://[^\s:]+:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        if self.port is None:
            raise Fault(f"the server did not start: {''.join(self.lines)}")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def memory(self):
        """RssAnon and VmSwap, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as file:
            fields = dict(line.split(":", 1) for line in file)
        return sum(int(fields[name].split()[0]) * 1024 for name in ("RssAnon", "VmSwap"))

    async def health(self):
        answer = await ask(self.port, "/health")
        return answer.status, answer.json()

    async def idle(self, seconds=20):
        """Waits until nothing runs and nothing waits; how long that took."""
        begin = time.monotonic()
        while True:
            _, health = await self.health()
            if health["waiting"] + health["reading"] + health["decoding"] == 0:
                return time.monotonic() - begin
            if time.monotonic() - begin > seconds:
                raise Fault(f"after {seconds} s there is still work: {health}")
            await asyncio.sleep(0.02)

    async def metric(self, name):
        text = (await ask(self.port, "/metrics")).body.decode()
        return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Fault("the server did not end within 60 s of SIGTERM") from None
        if code != 0:
            raise Fault(f"the server ended with {code}: {''.join(self.lines[-5:])}")


# ---- Parts --------------------------------------------------------------------------------------------------------------

TOPICS = ["the sea", "bread", "a mule called Rosa", "winter in Oslo", "how bees find home", "the moon", "old maps",
          "中国的茶", "长江", "为什么天空是蓝色的"]


def some_requests(count, tokens):
    """Requests that differ in how they begin, how long they are, and how tokens are drawn."""
    made = random.Random(7)
    requests = []
    for number in range(count):
        prompt = f"Story {number % 7}. " + " ".join(made.choice(TOPICS) for _ in range(made.randint(1, 25)))
        body = {"prompt": prompt, "max_tokens": made.randint(3, tokens), "stream": True}
        if number % 3 == 0:
            body["temperature"] = 0
        else:
            body.update(temperature=0.9, top_p=0.95, seed=number)
        requests.append(body)
    return requests


async def text_of(port, body):
    text, times = "", []
    async for moment, event in events(port, "/v1/completions", body):
        if "error" in event:
            raise Fault(f"an error in the stream: {event}")
        text += "".join(choice["text"] for choice in event["choices"])
        times.append(moment)
    return text, times


async def streams(server, arguments):
    requests = some_requests(40, arguments.tokens)
    alone = [(await text_of(server.port, body))[0] for body in requests]
    counts = {"answers": 0, "busy": 0}
    first, between = [], []
    end = time.monotonic() + arguments.seconds

    async def client(number):
        made = random.Random(number)
        while time.monotonic() < end:
            index = made.randrange(len(requests))
            begin = time.monotonic()
            text, times = await text_of(server.port, requests[index])
            if text != alone[index]:
                raise Fault(f"request {index} gives {text!r}, and alone {alone[index]!r}")
            counts["answers"] += 1
            if times:
                first.append(times[0] - begin)
                between.extend(b - a for a, b in zip(times, times[1:]))

    await asyncio.gather(*(client(number) for number in range(arguments.streams)))
    await server.idle()
    generated = await server.metric("tinygpt_generated_tokens_total")
    print(f"  {arguments.streams} streams for {arguments.seconds} s: {counts['answers']} answers, each as it is alone; "
          f"{generated / arguments.seconds:.0f} tokens/s; first event after {statistics.median(first) * 1e3:.0f} ms "
          f"(median), {max(first) * 1e3:.0f} ms at most; between events {statistics.median(between) * 1e3:.1f} ms, "
          f"{max(between) * 1e3:.0f} ms at most")


async def tokens_of(server, text):
    return len((await ask(server.port, "/tokenize", {"content": text})).json()["tokens"])


async def disconnects(server, arguments):
    sentence = "Once upon a time there was a mule. "
    long_prompt = sentence * (150000 // await tokens_of(server, sentence * 100))  # some 1500 tokens
    bodies = [
        {"prompt": "Once", "max_tokens": 1000000, "stream": True}, {"prompt": "Twice", "max_tokens": 1000000},
        {"prompt": long_prompt, "max_tokens": 5, "stream": True}, {"prompt": long_prompt + "And", "max_tokens": 5},
        {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2000, "stream": True},
    ]
    made = random.Random(3)
    # Long texts in every slot once, so that what a busy server takes is there already.
    await asyncio.gather(*(ask(server.port, "/v1/completions", {"prompt": f"{n} {long_prompt}", "max_tokens": 400})
                           for n in range(8)))
    await server.idle()
    before = server.memory()

    async def client():
        body = dict(made.choice(bodies), seed=made.randrange(1000))
        path = "/v1/chat/completions" if "messages" in body else "/v1/completions"
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        data = http(path, body)
        writer.write(data[:made.randrange(len(data))] if made.random() < 0.1 else data)
        try:
            await asyncio.wait_for(reader.read(made.choice([1, 500, 100000])), made.random() * arguments.patience)
        except (asyncio.TimeoutError, ConnectionError):
            pass
        if made.random() < 0.5:
            writer.transport.abort()
        else:
            writer.close()

    begin = time.monotonic()
    pending = set()
    for _ in range(arguments.disconnects):
        pending.add(asyncio.create_task(client()))
        if len(pending) >= 24:
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*pending)
    spent = time.monotonic() - begin
    idle = await server.idle(5)
    after = server.memory()
    cancelled = await server.metric("tinygpt_texts_cancelled_total")
    print(f"  {arguments.disconnects} clients went away within {spent:.0f} s, {cancelled:.0f} of them from work under way; all "
          f"slots free {idle * 1e3:.0f} ms after the last; memory {before / 1e6:.1f} MB before, {after / 1e6:.1f} after")
    if cancelled < arguments.disconnects / 10:
        raise Fault("hardly anyone was being worked for: the check has missed its point")
    if after > before * 1.05 + 8e6:
        raise Fault(f"memory grew from {before} to {after} bytes")
    # And every slot works.
    answers = await asyncio.gather(*(text_of(server.port, {"prompt": "x", "max_tokens": 4, "stream": True, "seed": n})
                                     for n in range(8)))
    if len(answers) != 8:
        raise Fault("not all answered")


def hostile_requests(count):
    """Malformed requests: (bytes to send, why)."""
    chat = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
    paths = {
        "/v1/chat/completions": chat, "/v1/completions": {"prompt": "Hi", "max_tokens": 3},
        "/v1/responses": {"input": "Hi", "max_output_tokens": 16},
        "/v1/messages": {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3},
        "/v1/messages/count_tokens": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
        "/tokenize": {"content": "Hi"}, "/detokenize": {"tokens": [1, 2]},
    }
    # Whatever stands in one of these fields, it is none of these things.
    wrong = {
        "messages": [None, 3, "x", {}, [], [3], [{}], [{"role": "user"}], [{"role": 3, "content": "x"}],
                     [{"role": "user", "content": 3}], [{"role": "user", "content": [{"type": "image_url"}]}],
                     [{"role": "user", "content": [3]}], [{"role": "nobody", "content": "x"}]],
        "prompt": [3.5, {}, [[]], ["x", 3], [-1], [10 ** 9], [[1, "x"]], True],
        "input": [3, {}, [3], [{"type": "image"}], True],
        "content": [3, {}, [], None, True], "tokens": ["x", {}, [-1], [10 ** 12], ["x"], [1.5], None],
        "max_tokens": [-1, 1.5, "x", [], 10 ** 30, True], "max_output_tokens": [-1, "x", 1.5, 0],
        "max_completion_tokens": [-5, "many", {}],
        "temperature": [-1, 3, "hot", [], True, 1e400], "top_p": [-0.1, 1.1, "x", {}], "top_k": [-2, "x", 1.5],
        "n": [0, -1, 1000000, "x", 1.5], "stop": [3, {}, [3], ["a"] * 100], "seed": ["x", {}, 1.5],
        "stream": ["yes", 1, {}, []], "logprobs": ["x", -1, 1000, {}], "top_logprobs": [-1, 21, "x"],
        "presence_penalty": [-3, 3, "x"], "frequency_penalty": [-3, 3, "x", []], "stream_options": [3, "x"],
        "stop_sequences": [3, "x", [3]], "system": [3, {}], "logit_bias": [3, "x"], "echo": ["x", 3],
        "tools": [3, "x", [{"type": "function", "function": {"name": "f"}}]], "model": [3, [], {}],
    }
    known = {
        "/v1/chat/completions": {"messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "n",
                                 "stop", "seed", "stream", "top_logprobs", "presence_penalty", "frequency_penalty",
                                 "stream_options", "logit_bias", "tools", "model"},
        "/v1/completions": {"prompt", "max_tokens", "temperature", "top_p", "n", "stop", "seed", "stream", "logprobs",
                            "presence_penalty", "frequency_penalty", "echo", "model"},
        "/v1/responses": {"input", "max_output_tokens", "temperature", "top_p", "stream", "tools", "model"},
        "/v1/messages": {"messages", "max_tokens", "temperature", "top_p", "top_k", "stream", "stop_sequences", "system",
                         "model"},
        "/v1/messages/count_tokens": {"messages", "system", "model"}, "/tokenize": {"content"}, "/detokenize": {"tokens"},
    }
    made = random.Random(11)
    found = []
    for path, body in paths.items():
        for field in sorted(known[path]):
            for value in wrong[field]:
                if path == "/v1/completions" and field == "prompt" and value is None:
                    continue
                text = json.dumps({**body, field: value}).replace("Infinity", "1e400")
                found.append((http(path, text.encode()), f"{path} {field}={value!r}"[:100]))
        good = json.dumps(body).encode()
        for bad in [b"", b"{", good[:-1], good + b"x", b"[]", b"null", b"3", b'"x"', b"\xff\xfe", b"\x00" * 50,
                    b"[" * 5000, b'{"a":' * 5000, good.replace(b"Hi", b"\xc3\x28").replace(b"[1, 2]", b"[1, \xff]"),
                    b'{"messages": ' + b"9" * 100000 + b"}"]:
            found.append((http(path, bad), f"{path} with body {bad[:20]!r}"))
        for method in ["GET", "PUT", "DELETE", "PATCH", "TRACE", "BREW"]:
            found.append((http(path, good, method), f"{method} {path}"))
    for path in ["/nothing", "/v1", "/v1/", "//v1/models", "/v1/../v1/models", "/%2e%2e/etc/passwd", "/v1/models/" + "x" * 3000,
                 "/v1/models/%00", "/v1/models/%ff%fe", "/" + "a/" * 2000, "/..;/", "/V1/MODELS", "/v1/models/none"]:
        found.append((http(path), path[:60]))
    huge = b"x" * (64 << 10)
    for raw, why in [
        (b"\r\n\r\n\r\n", "empty lines"), (b"GARBAGE\r\n\r\n", "no request line"), (b"GET / HTTP/9.9\r\n\r\n", "HTTP/9.9"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "another host"),
        (b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n\r\n", "another origin"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + huge + b"\r\n\r\n", "a huge header"),
        (b"GET /" + huge + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "a huge path"),
        (b"POST /tokenize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n", "a negative length"),
        (b"POST /tokenize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999\r\n\r\n{", "a length without end"),
        (b"POST /tokenize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "two lengths"),
        (b"POST /tokenize HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\nx\r\n", "a bad chunk"),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: x\r\n" % n for n in range(500)) + b"\r\n", "500 headers"),
    ]:
        found.append((raw, why))
    rest = []
    while len(found) + len(rest) < count:  # and at random: a body with a few bytes spoiled that is no JSON any more
        path, body = made.choice(list(paths.items()))
        data = bytearray(json.dumps(body).encode())
        for _ in range(made.randint(1, 4)):
            data[made.randrange(len(data))] = made.choice(b"{}[]\",:\\\x00\xff" + string.ascii_letters.encode())
        try:
            json.loads(bytes(data))
        except ValueError:
            rest.append((http(path, bytes(data)), f"{path} spoiled: {bytes(data)[:60]!r}"))
    return (found + rest)[:max(count, len(found))]


async def hostile(server, arguments):
    requests = hostile_requests(arguments.hostile)
    statuses = {}
    wrong = []
    for raw, why in requests:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(raw)
            answer = await asyncio.wait_for(read_answer(reader), 30)
            status = answer.status
        except (asyncio.IncompleteReadError, ConnectionError):
            status = 0  # hung up on: fair where there was no HTTP
        except asyncio.TimeoutError:
            status = -1
        finally:
            writer.close()
        statuses[status] = statuses.get(status, 0) + 1
        hung_up_may_be = not raw.startswith((b"GET", b"POST", b"PUT", b"DELETE", b"PATCH")) or status != 0
        if not (400 <= status < 500 or status == 0 and hung_up_may_be):
            wrong.append(f"{status}: {why}")
        code, health = await server.health()
        if code != 200:
            raise Fault(f"after {why}: /health says {health}")
    print(f"  {len(requests)} hostile requests: {dict(sorted(statuses.items()))}; /health answered after each")
    if wrong:
        raise Fault("not a 4xx:\n    " + "\n    ".join(wrong[:40]))


async def slow(server, arguments):
    body = {"prompt": "Once upon a time", "max_tokens": 20, "stream": True, "temperature": 0}

    async def latency():
        times = []
        for _ in range(10):
            begin = time.monotonic()
            await text_of(server.port, body)
            times.append(time.monotonic() - begin)
        return statistics.median(times)

    before = await latency()
    stop = asyncio.Event()

    async def client(number):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            if number % 3 == 0:  # takes its answer a byte at a time
                writer.write(http("/v1/completions", {"prompt": "x", "max_tokens": 30, "stream": True}))
                while not stop.is_set() and await reader.read(1):
                    await asyncio.sleep(0.5)
            else:  # sends its request a byte at a time, or only the body so
                data = http("/v1/completions", body)
                start = 0 if number % 3 == 1 else data.index(b"\r\n\r\n") + 4
                writer.write(data[:start])
                for byte in data[start:]:
                    if stop.is_set():
                        break
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.5)
            writer.close()
        except (ConnectionError, OSError):
            pass

    clients = [asyncio.create_task(client(number)) for number in range(arguments.slow)]
    await asyncio.sleep(10)
    during = await latency()
    stop.set()
    await asyncio.gather(*clients)
    print(f"  20 tokens take {before * 1e3:.0f} ms, beside {arguments.slow} slow clients {during * 1e3:.0f} ms (medians)")
    if during > 2 * before + 0.1:
        raise Fault("slow clients hurt the others")


async def conversations(host, port, count, tokens):
    """Tokens a second of some conversations at once."""
    async def chat(number):
        body = {"messages": [{"role": "user", "content": f"Tell me a long story about {TOPICS[number % len(TOPICS)]}."}],
                "max_tokens": tokens, "stream": True, "temperature": 0.8, "seed": number,
                "stream_options": {"include_usage": True}}
        usage = None
        async for _, event in events(port, "/v1/chat/completions", body, host):
            usage = event.get("usage") or usage
        return usage["completion_tokens"]

    begin = time.monotonic()
    counts = await asyncio.gather(*(chat(number) for number in range(count)))
    return sum(counts) / (time.monotonic() - begin)


async def chats(server, arguments):
    places = {"tinygpt": ("127.0.0.1", server.port)}
    if arguments.against:
        found = re.fullmatch(r"https?://([^:/]+):(\d+)/?", arguments.against)
        if not found:
            raise Fault(f"--against is {arguments.against}; http://HOST:PORT is expected")
        places["the other"] = (found.group(1), int(found.group(2)))
    speeds = {name: {1: [], arguments.chats: []} for name in places}
    for _ in range(arguments.rounds):
        for count in (1, arguments.chats):
            for name, (host, port) in places.items():
                speeds[name][count].append(await conversations(host, port, count, arguments.tokens * 4))
    middle = {name: {count: statistics.median(values) for count, values in found.items()} for name, found in speeds.items()}
    for name, found in speeds.items():
        for count, values in found.items():
            print(f"  {name}: {count} at once: {statistics.median(values):.0f} tokens/s "
                  f"({min(values):.0f} to {max(values):.0f}, {len(values)} rounds)")
    ratio = middle["tinygpt"][arguments.chats] / middle["tinygpt"][1]
    print(f"  {arguments.chats} conversations together make {ratio:.2f} times the tokens of one")
    if arguments.against:
        print("  against the other: " + ", ".join(
            f"{count} at once {middle['tinygpt'][count] / middle['the other'][count]:.2f} times" for count in middle["tinygpt"]))


PARTS = {
    "streams": (streams, ["--slots", "8", "--context", "1024", "--queue", "200"]),
    "disconnects": (disconnects, ["--slots", "4", "--context", "2048", "--queue", "2000"]),
    "hostile": (hostile, ["--slots", "2", "--context", "512"]),
    "slow": (slow, ["--slots", "8", "--context", "512", "--queue", "2000"]),
    "chats": (chats, ["--slots", "8", "--context", "1024"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--tinygpt", required=True)
    parser.add_argument("--model")
    for name, value in [("streams", 64), ("seconds", 300), ("disconnects", 1000), ("hostile", 500), ("slow", 200),
                        ("chats", 8), ("rounds", 3), ("tokens", 40)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--patience", type=float, default=0.5, help="how long a client that goes away stays at most, in seconds")
    parser.add_argument("--against", help="another server's address: http://127.0.0.1:8081")
    parser.add_argument("--option", action="append", default=[], help="passed on to the server; repeatable")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part}; there are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory() as folder:
        arguments.model = arguments.model or str(talking_fixture(Path(folder)))
        return 1 if failures(arguments) else 0


def failures(arguments):
    failed = 0
    for part in arguments.parts or PARTS:
        body, options = PARTS[part]
        print(f"{part}:", flush=True)
        try:
            server = Server(arguments, options + arguments.option)
            try:
                asyncio.run(body(server, arguments))
            finally:
                if server.process.poll() is not None:
                    raise Fault(f"the server ended with {server.process.returncode}")
                server.stop()
        except Fault as fault:
            failed += 1
            print(f"  FAILED: {fault}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
