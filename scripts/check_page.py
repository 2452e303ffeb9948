#!/usr/bin/env python3
"""Drives the server's page in a headless Chromium, as a reader would.

    scripts/check_page.py --tinygpt BINARY --model FILE [--shots FOLDER]    starts the server, with and without a key
    scripts/check_page.py --url http://127.0.0.1:8080 [--shots FOLDER]      a server that runs already, without a key
    scripts/check_page.py --page FILE --policy FILE [--shots FOLDER]        a page alone, against bad behaviour only

Against the server: send, stream, stop, candidates by pointer, keys and touch, reload, Chinese, the key. Then the same page
against a server that misbehaves (chat_page_mock.py): hostile text, characters cut in two, broken streams, refusals,
thousands of tokens. Throughout: no request leaves the origin, the console has no errors, the policy is not violated, nothing is
wider than a phone. Screenshots at 1280 and 390 pixels, light and dark, go to the folder. Status 1 if a check fails.

Needs Chromium (Debian's `chromium`, or --chromium PATH) and the Python package `playwright`; Python 3.9 or later.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from chat_page_checks import Reader, against_mock, against_server, key_flow, phone, screenshots  # noqa: E402
from chat_page_mock import Mock  # noqa: E402

KEY = "a-key-for-this-check-0123456789"


@contextmanager
def served(binary, model, key=None):
    """The address of a server of one's own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name != "TINYGPT_API_KEY"}
    if key:
        environment["TINYGPT_API_KEY"] = key
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([binary, "serve", "--model", model, "--port", str(port)], stdout=log,
                                   stderr=subprocess.STDOUT, env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(600):
                if process.poll() is not None:
                    log.seek(0)
                    sys.exit(f"check_page: the server ended with status {process.returncode}:\n{log.read().decode()}")
                try:
                    urllib.request.urlopen(url + "/", timeout=5).close()
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.1)
            else:
                sys.exit("check_page: the server does not answer")
            yield url
        finally:
            process.terminate()
            process.wait(30)


def page_and_policy(url):
    with urllib.request.urlopen(url + "/", timeout=10) as response:
        return response.read(), response.headers["Content-Security-Policy"]


def main():
    arguments = argparse.ArgumentParser(description="Drives the server's page in a headless Chromium.")
    arguments.add_argument("--tinygpt", help="the command, built with its server")
    arguments.add_argument("--model")
    arguments.add_argument("--url")
    arguments.add_argument("--page", type=Path)
    arguments.add_argument("--policy", type=Path)
    arguments.add_argument("--shots", type=Path, help="a folder for screenshots")
    arguments.add_argument("--chromium", default=shutil.which("chromium"))
    options = arguments.parse_args()
    kinds = [bool(options.tinygpt and options.model), bool(options.url), bool(options.page and options.policy)]
    if sum(kinds) != 1 or not options.chromium:
        arguments.error("exactly one of --tinygpt with --model, --url, and --page with --policy is needed, and Chromium")
    if options.shots:
        options.shots.mkdir(parents=True, exist_ok=True)

    with sync_playwright() as playwright:
        # A sandbox of Chromium's needs another user than root.
        flags = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=options.chromium, args=flags)
        reader = Reader(browser, options.shots)
        if options.page:
            page, policy = options.page.read_bytes(), options.policy.read_text().strip()
        elif options.url:
            page, policy = page_and_policy(options.url)
            against_server(reader, options.url.rstrip("/"))
        else:
            with served(options.tinygpt, options.model) as url:
                page, policy = page_and_policy(url)
                against_server(reader, url)
            with served(options.tinygpt, options.model, KEY) as url:
                key_flow(reader, url, KEY, "of the server")
        mock = Mock(page, policy)
        against_mock(reader, mock)
        key_flow(reader, mock.url, KEY, "of the mock", mock)
        phone(reader, mock)
        if options.shots:
            screenshots(reader, mock)
        browser.close()
    print(f"check_page: {reader.held} checks held, {len(reader.faults)} did not")
    for fault in reader.faults:
        print(f"  {fault}")
    sys.exit(1 if reader.faults or not reader.held else 0)


if __name__ == "__main__":
    main()
