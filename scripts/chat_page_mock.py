"""A server that behaves badly on request: what check_page.py holds the chat page against besides the real one.

It answers as OpenAI's chat completions do, streamed, and what it does is up to the last message of the conversation: one of
the names in `Mock.answers`, and a number where that takes one ("long 4000"). The page and its policy are given to it, and come from
the real server. Python 3.9 or later, nothing else.
"""

import json
import math
import random
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOSTILE = ('<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>',
           "<svg onload=window.hacked=1>&lt;b&gt; {speed} $& ${window.hacked=1}</textarea></style>", "\u202eabc\u2028\x00end")
FAMILY = "你好，世界！👩‍👩‍👧‍👦 and 🇨🇳, naïve 𝕏."
WORDS = "the rain falls on the roof and the river runs to the sea while nobody looks at it".split()


def entry(piece: bytes, logprob: float) -> dict:
    return {"token": piece.decode("utf-8", "backslashreplace"), "logprob": logprob, "bytes": list(piece)}


def scored(piece: bytes, rng: random.Random, others=None) -> dict:
    """A token with eight candidates; it is one of them but for one time in ten."""
    weights = sorted((rng.random() ** 3 + 1e-4 for _ in range(9)), reverse=True)
    total = sum(weights) * 1.02
    logprobs = [math.log(weight / total) for weight in weights]
    place = 8 if rng.random() < 0.1 else min(int(rng.expovariate(1)), 7)
    names = others or [b" " + word.encode() for word in rng.sample(WORDS, 9)]
    candidates = [entry(piece if index == place else name, logprob)
                  for index, (name, logprob) in enumerate(zip(names, logprobs)) if index < 8]
    return {**entry(piece, logprobs[place]), "top_logprobs": candidates}


class Mock(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, page: bytes, policy: str):
        super().__init__(("127.0.0.1", 0), Handler)
        self.page, self.policy = page, policy
        self.key = None           # the one that is asked for
        self.requests = []        # bodies of the chats
        self.broken_off = 0       # streams that the other side left
        self.busy_times = 1
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status: int, body, kind="application/json", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, message: str, **headers):
        self.answer(status, {"error": {"message": message, "type": "error", "param": None, "code": None}}, **headers)

    def lacks_key(self) -> bool:
        if self.server.key is None or self.headers.get("Authorization") == f"Bearer {self.server.key}":
            return False
        self.refuse(401, "Incorrect API key provided.")
        return True

    def do_GET(self):
        if self.path == "/":
            self.answer(200, self.server.page, "text/html; charset=utf-8", Content_Security_Policy=self.server.policy)
        elif self.path == "/v1/models":
            if not self.lacks_key():
                self.answer(200, {"object": "list", "data": [{"id": "mock-model-with-a-rather-long-name.Q4_1", "object": "model"}]})
        else:
            self.refuse(404, f"There is no {self.path}.")

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.lacks_key():
            return
        self.server.requests.append(request)
        words = request["messages"][-1]["content"].split()
        name, number = words[0], int(words[1]) if len(words) > 1 and words[1].isdigit() else None
        try:
            answer = self.answers.get(name, Handler.plain)
            answer(self, number)
        except (BrokenPipeError, ConnectionResetError):
            self.server.broken_off += 1
            self.close_connection = True

    # What is streamed

    def begin(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.sent = 0

    def event(self, data, cut=False):
        text = f"data: {data if isinstance(data, str) else json.dumps(data)}\r\n\r\n".encode()
        if cut:  # wherever the network likes
            for start in range(0, len(text), 7):
                self.wfile.write(text[start:start + 7])
                self.wfile.flush()
        else:
            self.wfile.write(text)

    def chunk(self, text: str, tokens=None, finish=None, cut=False):
        choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish,
                  "logprobs": {"content": tokens} if tokens is not None else None}
        self.sent += len(tokens or [])
        self.event({"id": "1", "object": "chat.completion.chunk", "choices": [choice]}, cut)

    def end(self, finish="stop"):
        self.chunk("", finish=finish)
        self.event({"choices": [], "usage": {"prompt_tokens": 1234, "completion_tokens": self.sent,
                                             "prompt_tokens_details": {"cached_tokens": 1200}}})
        self.event("[DONE]")

    def text(self, text: str, pause=0.01, cut=False, width=None):
        """Words as tokens; with `width`, so many bytes a token, characters or not."""
        rng = random.Random(text)
        data = text.encode()
        pieces = ([data[start:start + width] for start in range(0, len(data), width)] if width
                  else [piece.encode() for piece in re.findall(r"\s*\S+|\s+$", text)])
        held = b""
        for piece in pieces:
            held += piece
            try:
                whole, held = held.decode(), b""
            except UnicodeDecodeError:
                whole = ""
            self.chunk(whole, [scored(piece, rng)], cut=cut)
            time.sleep(pause)

    def plain(self, _):
        self.begin()
        self.text("The sky is blue because air scatters short waves of light more than long ones.\n\nAt sunset the way "
                  "through the air is longer, and what is left is red.", 0.03)
        self.end()

    def hostile(self, _):
        self.begin()
        for part in HOSTILE:
            self.text(part, width=3)
        self.end()

    def family(self, _):
        self.begin()
        self.wfile.write(b": nothing yet\n\n")
        self.text(FAMILY, width=2, cut=True)
        self.end()

    def long(self, number):
        self.begin()
        rng = random.Random(number)
        for index in range(number):
            piece = " " + rng.choice(WORDS) + (".\n\n" if index % 300 == 299 else "")
            self.chunk(piece, [scored(piece.encode(), rng)])
            if index % 20 == 0:
                time.sleep(0.01)
        self.end("length")

    def slow(self, _):
        self.begin()
        for index in range(2000):
            self.text(f" word{index}", 0.05)
        self.end()

    def silent(self, _):
        self.begin()
        self.wfile.flush()
        for _ in range(600):
            time.sleep(0.1)
            self.wfile.write(b": still reading\n\n")

    def lost(self, _):
        self.begin()
        self.text("These words arrive and then")

    def garbled(self, _):
        self.begin()
        self.text("Fine so far")
        self.event("{not json")

    def fault(self, _):
        self.begin()
        self.text("Half a")
        self.event({"error": {"message": "The time limit of 60 s has passed.", "type": "server_error"}})

    def busy(self, _):
        if self.server.busy_times:
            self.server.busy_times -= 1
            return self.refuse(429, "All 4 slots are taken and 64 requests wait.", Retry_After="7")
        self.plain(None)

    def toolong(self, _):
        self.refuse(400, "The prompt has 9000 tokens, and the context of this model holds 8192.")

    def bare(self, _):
        """Without log-probabilities."""
        self.begin()
        for word in ("No ", "candidates ", "here."):
            self.chunk(word)
        self.end()

    def withheld(self, _):
        """Tokens come before the text they make, the first loses its space, and the end of the last is left out."""
        self.begin()
        rng = random.Random(1)
        self.chunk("", [scored(b" Held", rng), scored(b" back", rng)])
        self.chunk("Held")
        self.chunk(" back", [scored(b" then", rng), scored(b" ST", rng), scored(b"OPS", rng)])
        self.chunk(" then S", finish="stop")
        self.event("[DONE]")

    answers = {name: function for name, function in list(locals().items())
               if name in ("hostile", "family", "long", "slow", "silent", "lost", "garbled", "fault", "busy", "toolong", "bare",
                           "withheld")}
