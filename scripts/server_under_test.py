"""`tinygpt serve` for the time of a test, on a free port."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


FIXTURE = Path(__file__).parent.parent / "Tests" / "Fixtures" / "llama-default"
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def talking_fixture(folder: Path) -> Path:
    """A model of half a megabyte with a chat template and room for a conversation. What it says means nothing."""
    for name in ["model.safetensors", "tokenizer.json"]:
        shutil.copy(FIXTURE / name, folder / name)
    config = json.loads((FIXTURE / "config.json").read_text())
    config["max_position_embeddings"] = 2048
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    return folder


class Server:
    """Starts it, waits until it answers, and ends it by SIGTERM, which it has to obey.

        with Server(binary, model, key, ["--slots", "2"]) as server: ...
    """

    def __init__(self, binary: Path, model: Path, key: str = "", arguments=(), seconds: float = 120):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = key
        self.command = [str(binary), "serve", "--model", str(model), "--port", str(self.port), *map(str, arguments)]
        self.seconds = seconds

    def __enter__(self):
        environment = {**os.environ, "TINYGPT_API_KEY": self.key} if self.key else os.environ
        self.process = subprocess.Popen(self.command, env=environment, stdin=subprocess.DEVNULL)
        end = time.monotonic() + self.seconds
        while True:
            self.must_run()
            try:
                self.json("/health")
                return self
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > end:
                    self.process.kill()
                    sys.exit(f"no answer within {self.seconds} s: {' '.join(self.command)}")
                time.sleep(0.05)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                status = self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError("SIGTERM did not end the server within 30 s") from None
            assert status == 0, f"the server ended with status {status}"

    def must_run(self):
        if self.process.poll() is not None:
            sys.exit(f"the server ended with status {self.process.returncode}: {' '.join(self.command)}")

    def text(self, path: str, body=None) -> str:
        headers = {"content-type": "application/json"}
        if self.key:
            headers["authorization"] = "Bearer " + self.key
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def json(self, path: str, body=None):
        return json.loads(self.text(path, body))

    def wait_until_idle(self, seconds: float = 10) -> float:
        """Until no request waits, is read or is continued; how long that took."""
        started = time.monotonic()
        while True:
            health = self.json("/health")
            busy = {name: health[name] for name in ["waiting", "reading", "decoding"]}
            if not any(busy.values()):
                return time.monotonic() - started
            assert time.monotonic() - started < seconds, f"still busy after {seconds} s: {busy}"
            time.sleep(0.02)

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        samples = [line.rsplit(" ", 1) for line in self.text("/metrics").splitlines() if not line.startswith("#")]
        values = [float(value) for key, value in samples if key.split("{")[0] == name]
        assert values, f"no metric {name}"
        return sum(values)
