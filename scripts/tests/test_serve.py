"""Tests of `tinygpt serve` over real sockets, with nothing but the standard library.

    TINYGPT_SERVER_BINARY=.build-serve/release/tinygpt python3 -m unittest discover scripts/tests

The binary is one built with the trait Server. Without TINYGPT_TEST_MODEL a tiny model of the fixtures is served.
"""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import unittest
from pathlib import Path

BINARY = os.environ.get("TINYGPT_SERVER_BINARY")
ROOT = Path(__file__).resolve().parent.parent.parent
MODEL = os.environ.get("TINYGPT_TEST_MODEL") or str(ROOT / "Tests/Fixtures/llama-default")
KEY = "a-key-of-the-tests-0123456789"


class Serving:
    """A server of one's own on a free port."""

    def __init__(self, *options, key=None):
        environment = {name: value for name, value in os.environ.items() if name != "TINYGPT_API_KEY"}
        if key:
            environment["TINYGPT_API_KEY"] = key
        self.key = key
        self.process = subprocess.Popen(
            [BINARY, "serve", "--model", MODEL, "--port", "0", "--json", *options], env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.ready = json.loads(line)
        self.port = self.ready["port"]
        # Nobody else reads what it says, and a full pipe would stop it.
        self.log = []
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(30)
        return connection

    def head(self, method, path, length=0, **headers):
        fields = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": length, **headers}
        if self.key and "Authorization" not in fields:
            fields["Authorization"] = f"Bearer {self.key}"
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items() if value is not None)
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()

    def message(self, path, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.head("POST", path, len(data), **headers) + data

    def raw(self, data, seconds=30):
        """The status and body of the answer to these bytes, whatever they are; (0, b"") if there is none."""
        with self.connect() as connection:
            connection.settimeout(seconds)
            try:
                connection.sendall(data)
            except OSError:
                pass  # refused before it had all
            response = http.client.HTTPResponse(connection)
            try:
                response.begin()
                return response.status, response.read()
            except (http.client.HTTPException, OSError):
                return 0, b""

    def get(self, path, **headers):
        return self.raw(self.head("GET", path, None, **headers))

    def post(self, path, body, **headers):
        status, data = self.raw(self.message(path, body, **headers))
        return status, json.loads(data) if data else None

    def health(self):
        status, data = self.get("/health")
        return status, json.loads(data)

    def running(self):
        _, health = self.health()
        return health["waiting"] + health["reading"] + health["decoding"]

    def wait_for_rest(self, seconds=20):
        """Seconds until no text is worked on."""
        start = time.monotonic()
        while self.running():
            if time.monotonic() - start > seconds:
                raise AssertionError(f"after {seconds} s there is still work: {self.health()}")
            time.sleep(0.01)
        return time.monotonic() - start

    def events(self, path, body):
        """The data of all events."""
        with self.connect() as connection:
            connection.sendall(self.message(path, body))
            response = http.client.HTTPResponse(connection)
            response.begin()
            text = response.read().decode()
        return [event.removeprefix("data: ") for event in text.split("\n\n") if event]


def long_work(stream=False, **fields):
    """Work that takes far longer than any test: hundreds of texts, one after the other."""
    return {"prompt": [[5, 6, 7]] * 900, "max_tokens": 50, "stream": stream, "temperature": 0, **fields}


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Serving("--alias", "other", "--slots", "3").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def error(self, status, data, code=None):
        error = json.loads(data)["error"] if isinstance(data, bytes) else data["error"]
        self.assertTrue(error["message"] and error["type"], error)
        if code:
            self.assertEqual(error["code"], code)
        return error

    def test_where_it_is_and_what_it_takes(self):
        ready = self.server.ready
        self.assertEqual((ready["host"], ready["slots"]), ("127.0.0.1", 3))
        self.assertEqual(
            ready["total_bytes"], ready["weight_bytes"] + ready["cache_bytes"] + ready["activation_bytes"])

    def test_models(self):
        status, data = self.server.get("/v1/models")
        names = [model["id"] for model in json.loads(data)["data"]]
        self.assertEqual((status, len(names), names[1]), (200, 2, "other"))
        self.assertEqual(json.loads(self.server.get("/v1/models/other")[1])["id"], "other")
        self.error(*self.server.get("/v1/models/third"), "model_not_found")

    def test_completion_and_its_stream_are_one(self):
        body = {"prompt": [5, 6, 7, 8], "max_tokens": 9, "temperature": 0, "logprobs": 2, "model": "other"}
        status, whole = self.server.post("/v1/completions", body)
        self.assertEqual(status, 200)
        self.assertEqual(whole["usage"]["prompt_tokens"], 4)
        events = self.server.events("/v1/completions", {**body, "stream": True})
        self.assertEqual(events[-1], "[DONE]")
        text = "".join(json.loads(event)["choices"][0]["text"] for event in events[:-1])
        self.assertEqual(text, whole["choices"][0]["text"])

    def test_tokens_and_back(self):
        for text in ("", "hello", "你好 é\n"):
            _, tokens = self.server.post("/tokenize", {"content": text})
            self.assertEqual(self.server.post("/detokenize", tokens)[1]["content"], text)

    def test_metrics(self):
        self.server.post("/v1/completions", {"prompt": [5, 6], "max_tokens": 3})
        text = self.server.get("/metrics")[1].decode()
        names = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                self.assertNotIn(line.split()[2], names)
                names.add(line.split()[2])
            elif not line.startswith("#"):
                self.assertRegex(line, r'^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \S+$')
        self.assertIn('tinygpt_requests_total{route="/v1/completions",status="200"}', text)
        self.assertRegex(text, r"tinygpt_time_to_first_token_seconds_count [1-9]")

    def test_page_and_document(self):
        with self.server.connect() as connection:
            connection.sendall(self.server.head("GET", "/", None))
            response = http.client.HTTPResponse(connection)
            response.begin()
            self.assertEqual(response.status, 200)
            self.assertIn("text/html", response.getheader("Content-Type"))
            self.assertIn("default-src 'none'", response.getheader("Content-Security-Policy"))
            response.read()
        document = json.loads(self.server.get("/openapi.json")[1])
        self.assertTrue(document["openapi"].startswith("3."))
        for path in ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/health", "/metrics"):
            self.assertIn(path, document["paths"])

    def test_a_connection_serves_many_requests(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            for _ in range(3):
                connection.request(
                    "POST", "/v1/completions", json.dumps({"prompt": [5], "max_tokens": 2}),
                    {"Content-Type": "application/json", "Host": "localhost"})
                here = connection.sock.getsockname()
                response = connection.getresponse()
                self.assertEqual(response.status, 200)
                response.read()
                self.assertEqual(connection.sock.getsockname(), here)
        finally:
            connection.close()

    def test_two_requests_in_one_packet(self):
        with self.server.connect() as connection:
            one = self.server.message("/v1/completions", {"prompt": [5], "max_tokens": 2})
            connection.sendall(one + self.server.head("GET", "/health", None, Connection="close"))
            data = b""
            while part := connection.recv(65536):
                data += part
        self.assertEqual(data.count(b"HTTP/1.1 200"), 2)

    def test_head_has_no_body(self):
        with self.server.connect() as connection:
            connection.sendall(self.server.head("HEAD", "/health", None, Connection="close"))
            data = b""
            while part := connection.recv(65536):
                data += part
        self.assertTrue(data.startswith(b"HTTP/1.1 200") and data.endswith(b"\r\n\r\n"))

    def test_errors_have_the_shape_of_their_api(self):
        for method, path, body, status in [
            ("GET", "/nowhere", None, 404), ("DELETE", "/v1/models", None, 405), ("GET", "/v1/completions", None, 405),
            ("POST", "/v1/completions", b"{", 400), ("POST", "/v1/completions", b"[1]", 400),
            ("POST", "/v1/completions", b"\xff\xfe", 400), ("POST", "/v1/completions", b"", 400),
            ("POST", "/v1/completions", b'{"prompt":' + b"[" * 100_000, 400),
            ("POST", "/v1/chat/completions", b'{"messages": 1}', 400),
        ]:
            head = self.server.head(method, path, len(body) if body is not None else None)
            found, data = self.server.raw(head + (body or b""))
            self.assertEqual(found, status, (method, path))
            self.error(found, data)
        status, data = self.server.raw(self.server.message("/v1/messages", b"{"))
        self.assertEqual((status, json.loads(data)["type"]), (400, "error"))
        self.assertEqual(self.server.raw(self.server.message("/tokenize", b"{}", Content_Type="text/plain"))[0], 415)

    def test_a_prompt_that_is_too_long(self):
        context = self.server.ready["context"]
        status, answer = self.server.post("/v1/completions", {"prompt": [5] * context})
        self.assertEqual(status, 400)
        error = self.error(status, answer, "context_length_exceeded")
        self.assertEqual(error["param"], "prompt")
        self.assertIn(str(context), error["message"])

    def test_what_is_not_http(self):
        for data, status in [
            (b"GET\r\n\r\n", 400), (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: 1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 100_000 + b"\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 1000 + b"\r\n", 431),
            (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
            (b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", None),
            (b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", None),
            (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", None),
        ]:
            found, _ = self.server.raw(data, seconds=5)
            if status is not None:
                self.assertIn(found, (status, 400), data[:60])
            self.assertLess(found, 500, data[:60])
        self.assertEqual(self.server.health()[0], 200)

    def test_too_long_a_body(self):
        head = self.server.head("POST", "/tokenize", 1 << 30)
        self.assertEqual(self.server.raw(head + b"{")[0], 413)
        chunk = b"%x\r\n%s\r\n" % (1 << 20, b"a" * (1 << 20))
        head = self.server.head("POST", "/tokenize", None, Transfer_Encoding="chunked")
        # The answer, or the end of the connection, before it is all sent.
        self.assertIn(self.server.raw(head + chunk * 12)[0], (413, 0))

    def test_names_and_sites(self):
        for host, status in (("localhost:1", 200), ("[::1]", 200), ("evil.example", 403), ("127.0.0.1.evil", 403)):
            self.assertEqual(self.server.get("/v1/models", Host=host)[0], status, host)
        body = {"prompt": [5], "max_tokens": 1}
        self.assertEqual(self.server.post("/v1/completions", body, Origin="https://evil.example")[0], 403)
        self.assertEqual(self.server.post("/v1/completions", body, Origin="http://localhost")[0], 200)

    def test_clients_that_go_away(self):
        """Waiting, in the middle and streaming; by a clean end and by a reset."""
        for stream in (False, True):
            for reset in (False, True):
                connections = [self.server.connect() for _ in range(6)]
                for connection in connections:
                    if reset:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    connection.sendall(self.server.message("/v1/completions", long_work(stream)))
                deadline = time.monotonic() + 20
                while self.server.running() < 3:
                    self.assertLess(time.monotonic(), deadline)
                for connection in connections:
                    connection.close()
                self.assertLess(self.server.wait_for_rest(), 10)
        self.assertIn("499", self.server.get("/metrics")[1].decode())

    def test_clients_that_go_at_any_moment(self):
        chance = random.Random(7)

        def visit():
            data = self.server.message("/v1/completions", long_work(chance.random() < 0.5))
            with self.server.connect() as connection:
                if chance.random() < 0.3:
                    connection.sendall(data[: chance.randrange(len(data))])
                else:
                    connection.sendall(data)
                time.sleep(chance.random() * 0.05)

        threads = [threading.Thread(target=lambda: [visit() for _ in range(10)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.server.wait_for_rest()
        self.assertEqual(self.server.health()[0], 200)

    def test_a_full_queue(self):
        with Serving("--slots", "1", "--queue", "1") as server:
            connections = [server.connect() for _ in range(2)]
            try:
                for index, connection in enumerate(connections):
                    connection.sendall(server.message("/v1/completions", {**long_work(), "prompt": [[5]] * 900}))
                    deadline = time.monotonic() + 20
                    while server.running() < index + 1:
                        self.assertLess(time.monotonic(), deadline)
                found = set()
                for _ in range(30):
                    with server.connect() as connection:
                        connection.sendall(server.message("/v1/completions", {"prompt": [5], "max_tokens": 1}))
                        response = http.client.HTTPResponse(connection)
                        response.begin()
                        found.add(response.status)
                        if response.status == 429:
                            self.assertTrue(int(response.getheader("Retry-After")) > 0)
                            self.error(429, response.read(), "queue_full")
                self.assertIn(429, found)
                self.assertTrue(found <= {200, 429}, found)
            finally:
                for connection in connections:
                    connection.close()


class Keys(unittest.TestCase):
    PATHS = [
        "/v1/models", "/v1/models/x", "/metrics", "/openapi.json", "//v1/models", "/v1/../v1/models",
        "/%2e%2e/v1/models", "/v1/%6dodels", "/V1/MODELS", "/v1/models/", "/nowhere", "//", "/health/", "/HEALTH",
        "/%68ealth", "/./health", "/health/../v1/models", "/health%2f", "/favicon.ico", "*", "http://localhost/v1/models",
    ]

    def test_every_path_needs_a_key_unless_it_is_public(self):
        with Serving(key=KEY) as server:
            for path in self.PATHS:
                for method in ("GET", "POST", "HEAD", "PUT", "OPTIONS", "PATCH"):
                    for authorization in (None, "Bearer wrong", f"Basic {KEY}", KEY, "Bearer"):
                        status, _ = server.raw(server.head(method, path, None, Authorization=authorization))
                        self.assertEqual(status, 401, (method, path, authorization))
            for path in ("/v1/completions", "/v1/chat/completions", "/v1/responses", "/v1/messages", "/tokenize"):
                status, answer = server.post(path, {}, Authorization=None)
                self.assertEqual(status, 401)
                self.assertIn("error", answer)
            for path in ("/", "/health", "/health?x"):
                self.assertEqual(server.get(path, Authorization=None)[0], 200)
            self.assertEqual(server.get("/v1/models")[0], 200)
            self.assertEqual(server.get("/v1/models", Authorization=None, x_api_key=KEY)[0], 200)
            self.assertEqual(server.get("/nowhere")[0], 404)
            self.assertEqual(server.get("//v1/models")[0], 404)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(20), 0)
            server.reader.join(5)
            self.assertFalse([line for line in server.log if KEY in line])

    def test_it_is_not_open_to_everybody_by_accident(self):
        result = subprocess.run(
            [BINARY, "serve", "--model", MODEL, "--port", "0", "--host", "0.0.0.0"], capture_output=True, text=True,
            timeout=60, env={name: value for name, value in os.environ.items() if name != "TINYGPT_API_KEY"})
        self.assertEqual(result.returncode, 64)
        self.assertIn("--insecure", result.stderr)
        with Serving("--host", "0.0.0.0", "--insecure") as server:
            self.assertEqual(server.get("/v1/models")[0], 200)

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            result = subprocess.run(
                [BINARY, "serve", "--model", MODEL, "--port", str(other.getsockname()[1])], capture_output=True,
                text=True, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("cannot listen at 127.0.0.1", result.stderr)
        self.assertEqual(result.stdout, "")


class Time(unittest.TestCase):
    def test_a_deadline(self):
        with Serving("--request-timeout", "0.5") as server:
            status, answer = server.post("/v1/completions", long_work())
            self.assertIn(status, (408, 503), answer)
            events = server.events("/v1/completions", long_work(True))
            self.assertIn("error", json.loads(events[-1]))
            server.wait_for_rest()

    def test_slow_clients_do_not_hurt_others(self):
        with Serving() as server:
            slow = []
            for index in range(200):
                connection = server.connect()
                data = server.message("/v1/completions", long_work())
                connection.sendall(data[: (10, 120, 400)[index % 3]])
                slow.append(connection)
            for _ in range(5):
                start = time.monotonic()
                self.assertEqual(server.post("/v1/completions", {"prompt": [5], "max_tokens": 2})[0], 200)
                self.assertLess(time.monotonic() - start, 5)
            # Those without a whole head are told so, and let go.
            slow[0].settimeout(30)
            answer = slow[0].recv(65536)
            self.assertIn(b" 408 ", answer)
            for connection in slow:
                connection.close()
            self.assertEqual(server.running(), 0)

    def test_it_finishes_what_it_has_begun(self):
        with Serving() as server:
            count = 60
            body = {"prompt": [[5, 6, 7]] * count, "max_tokens": 30, "temperature": 0, "stream": True}
            connection = server.connect()
            connection.sendall(server.message("/v1/completions", body))
            while not server.running():
                pass
            server.process.send_signal(signal.SIGTERM)
            refused = set()
            while server.process.poll() is None:
                try:
                    refused.add(server.post("/v1/completions", {"prompt": [5], "max_tokens": 1})[0])
                except OSError:
                    break  # it does not listen any more
                time.sleep(0.005)
            response = http.client.HTTPResponse(connection)
            response.begin()
            text = response.read().decode()
            connection.close()
            # Texts that had not begun are refused too; the stream says so, or it is whole.
            self.assertTrue(text.endswith("data: [DONE]\n\n") or "shutting_down" in text, text[-300:])
            self.assertEqual(server.process.wait(60), 0)
            self.assertFalse(refused - {503, 200, 0}, refused)

    def test_interrupt_ends_it(self):
        with Serving() as server:
            server.process.send_signal(signal.SIGINT)
            self.assertEqual(server.process.wait(20), 0)


def load_tests(loader, *_):
    """The server is a build of its own, which not every run of the tests has: what cannot be run then is not there."""
    cases = [Routes, Keys, Time] if BINARY else []
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)


if __name__ == "__main__":
    unittest.main()
