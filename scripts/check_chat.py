#!/usr/bin/env python3
"""Drives `tinygpt chat` on a real terminal, as its user would, and looks at the screen.

    scripts/check_chat.py [--tinygpt PROGRAM] [--model FILE] [--show] [NAME...]

The terminal is tmux, in a server of its own, 60 columns wide unless a check says otherwise. Checked are streaming, Ctrl-C
while an answer is written and while a prompt is read, at the prompt once and twice; the history; every command; Chinese that
is edited; pasting; NO_COLOR and a dumb terminal; what does not fit; a changed size; how it ends. With --show the last screen
of every check is printed. Ends with status 1 if a check fails.
"""

import argparse
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Terminal:
    """A chat in a tmux pane, in a home of its own."""

    count = 0

    def __init__(self, arguments=(), columns=60, rows=30, home=None, **environment):
        self.folder = home or tempfile.TemporaryDirectory(prefix="tinygpt-chat-")
        self.home = Path(self.folder.name)
        Terminal.count += 1
        self.socket = f"tinygpt-{os.getpid()}-{Terminal.count}"
        variables = {"HOME": str(self.home), "TINYGPT_MODEL": OPTIONS.model, "PATH": os.environ["PATH"],
                     "LANG": "C.UTF-8", **environment}
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        command = shlex.join([OPTIONS.tinygpt, "chat", *arguments])
        # Its process is written down, its status is shown, and the pane stays to be looked at.
        start = "sh -c 'echo $$ > pid; exec \"$@\"' sh"
        # Ctrl-C is for the chat alone.
        script = f"trap : INT; cd {shlex.quote(str(self.home))}; env -u NO_COLOR {words} {start} {command}; echo ended=$?; sleep 1000"
        self.tmux("-f", "/dev/null", "-u", "new-session", "-d", "-x", str(columns), "-y", str(rows), script)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if OPTIONS.show:
            print(self.screen())
        self.tmux("kill-server")

    def tmux(self, *arguments, **options):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}
        environment.pop("TMUX", None)
        return subprocess.run(["tmux", "-L", self.socket, *arguments], check=True, capture_output=True, text=True,
                              env=environment, **options).stdout

    def screen(self, *options):
        """The rows, without the empty ones at the end."""
        return self.tmux("capture-pane", "-p", *options).rstrip("\n")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def say(self, text):
        self.type(text)
        self.keys("Enter")

    def wait(self, wanted, seconds=20.0, options=()):
        """Waits until a pattern is on the screen, and returns the screen."""
        end = time.monotonic() + seconds * OPTIONS.patience
        while True:
            screen = self.screen(*options)
            found = wanted(screen) if callable(wanted) else re.search(wanted, screen, re.MULTILINE)
            if found:
                return screen
            if time.monotonic() > end:
                raise AssertionError(f"not on the screen within {seconds} s: {wanted}\n{screen}")
            time.sleep(0.03)

    def prompt(self, seconds=20.0):
        """Waits until an empty line waits for input."""
        return self.wait(r"^>$", seconds)

    def command(self, text, wanted):
        self.keys("C-l")
        self.wait(lambda screen: screen.strip() == ">")
        self.say(text)
        return self.wait(wanted)

    def saved(self):
        """The conversation, by way of /save."""
        self.command("/save now.json", r"Saved: now\.json, \d+ messages?\.")
        return json.loads((self.home / "now.json").read_text(encoding="utf-8"))["messages"]

    def ended(self):
        """The exit status."""
        return int(re.search(r"ended=(\d+)", self.wait(r"ended=\d+")).group(1))

    def process(self):
        """The chat's process."""
        return int((self.home / "pid").read_text())


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def joined(text):
    """As one row, however a terminal broke it."""
    return re.sub(r"\s+", "", text)


LONG = "Write a very long story about a ship, with many chapters."


@check
def streaming_and_stopping():
    with Terminal(["--temperature", "0"]) as chat:
        chat.prompt()
        chat.say(LONG)
        seen = []
        while len(seen) < 4:
            screen = chat.wait(r"chapters\.\s*\S")
            answer = joined(screen.split("chapters.")[-1])
            if not seen or len(answer) > len(seen[-1]):
                seen.append(answer)
        for before, after in zip(seen, seen[1:]):
            expect(after.startswith(before), f"the text did not only grow: {before} {after}")
        chat.keys("C-c")
        began = time.monotonic()
        screen = chat.wait(r"^Stopped; what was said stays\.$")
        chat.prompt()
        expect(time.monotonic() - began < 1 * OPTIONS.patience, "it took more than a second to stop")
        answer = screen.split("chapters.")[1].split("Stopped;")[0]
        messages = chat.saved()
        expect([message["role"] for message in messages] == ["user", "assistant"], messages)
        expect(joined(messages[1]["content"]) == joined(answer), f"kept: {messages[1]['content']}, shown: {answer}")
        chat.say("Thank you. Say only: yes")
        chat.wait(r"^Thank|yes")
        chat.prompt()
        expect(len(chat.saved()) == 4, "the conversation did not go on")
        chat.keys("C-d")
        expect(chat.ended() == 0, "its status is not 0")


@check
def stopping_before_the_terminal_has_read():
    """A terminal that is behind still shows all that is kept: Ctrl-C does not throw away what was written."""
    with tempfile.TemporaryDirectory(prefix="tinygpt-chat-") as home:
        process, terminal = pty.fork()
        if process == 0:
            try:
                os.chdir(home)
                os.execve(OPTIONS.tinygpt, [OPTIONS.tinygpt, "chat", "--temperature", "0"],
                          {**os.environ, "HOME": home, "TINYGPT_MODEL": OPTIONS.model, "TERM": "dumb", "LANG": "C.UTF-8"})
            finally:
                os._exit(127)
        shown = b""

        def read(until):
            nonlocal shown
            end = time.monotonic() + 20 * OPTIONS.patience
            while until not in shown:
                expect(select.select([terminal], [], [], max(0, end - time.monotonic()))[0], f"not shown: {until}; but: {shown}")
                shown += os.read(terminal, 1 << 16)

        try:
            read(b"\n> ")
            # More than the 4 KiB that a terminal's reader is given without asking: what is said waits behind them.
            os.write(terminal, b"/help\r" * 8 + LONG.encode() + b"\r")
            time.sleep(min(1.5 * OPTIONS.patience, 4))
            os.write(terminal, b"\x03")
            read(b"Stopped;")
            answer, shown = shown.rsplit(b"Stopped;", 1)
            answer = answer.decode().split("ends the chat")[-1].split("> ")[-1].replace("\x1b[K", "")
            read(b"> ")
            os.write(terminal, b"/save now.json\r")
            read(b"Saved:")
            kept = json.loads((Path(home) / "now.json").read_text(encoding="utf-8"))["messages"][1]["content"]
            expect(joined(kept) == joined(answer), f"kept: {kept}, shown: {answer}")
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(terminal)


@check
def stopping_while_reading():
    with Terminal(["--temperature", "0"], rows=12) as chat:
        chat.prompt()
        chat.tmux("load-buffer", "-b", "long", "-", input="one two three four five six seven\n" * 900)
        chat.tmux("paste-buffer", "-p", "-b", "long")
        time.sleep(0.5)
        chat.keys("Enter")
        time.sleep(0.4)
        chat.keys("C-c")
        began = time.monotonic()
        chat.wait(r"Stopped before the first word")
        expect(time.monotonic() - began < 2 * OPTIONS.patience, "it took more than two seconds to stop")
        chat.prompt()
        chat.say("Say: yes")
        chat.prompt()
        expect([message["content"] for message in chat.saved()][0] == "Say: yes", "the long message was entered")


@check
def keys_at_the_prompt():
    with Terminal() as chat:
        chat.prompt()
        chat.type("some words")
        chat.keys("C-a", "C-c")
        chat.wait(r"^> some words\^C\n>$")
        chat.keys("C-c")
        chat.wait(r"Ctrl-C once more, or Ctrl-D, ends the chat\.\n>$")
        chat.type("x")
        chat.keys("BSpace", "C-c", "C-c")
        expect(chat.ended() == 0, "Ctrl-C twice at an empty prompt does not end it well")
    with Terminal() as chat:
        chat.prompt()
        chat.say('"""')
        chat.wait(r"^\.\.\.$")
        chat.say("lost")
        chat.keys("C-c")
        chat.prompt()
        chat.say("a \\")
        chat.wait(r"^\.\.\.$")
        chat.keys("C-d")
        chat.wait(r"that had begun is forgotten\.\n>$")
        chat.say("/quit")
        expect(chat.ended() == 0, "/quit does not end it well")


@check
def history():
    with Terminal(["--max-tokens", "2"]) as chat:
        chat.prompt()
        chat.say("first 你好")
        chat.wait(r"^Cut at 2[^>]*^>$")
        chat.say('"""')
        chat.say("two")
        chat.say('lines"""')
        chat.wait(r"^\.\.\. lines\"\"\"[^>]*Cut at 2[^>]*^>$")
        chat.keys("C-l", "Up", "Up")
        chat.wait(r"^> first 你好$")
        chat.keys("Down")
        chat.wait(r"^> two\nlines$")
        chat.keys("C-c", "C-d")
        chat.ended()
        file = chat.home / ".local/state/tinygpt/chat_history"
        expect(file.read_text(encoding="utf-8") == "first 你好\ntwo\\nlines\n", file.read_text(encoding="utf-8"))
        expect(file.stat().st_mode & 0o777 == 0o600, f"others may read it: {file.stat().st_mode:o}")
        home = chat.folder
    with Terminal(["--max-tokens", "2", "--no-history"], home=home) as chat:
        chat.prompt()
        chat.keys("Up")
        chat.type("z")
        chat.wait(r"^> z$")
        chat.keys("Enter")
        chat.wait(r"^Cut at 2")
        expect("z" not in file.read_text(encoding="utf-8"), "--no-history writes it")
        chat.keys("C-d")
        chat.ended()
    with Terminal(["--max-tokens", "2"], home=home) as chat:
        chat.prompt()
        chat.keys("Up", "Enter")
        chat.wait(r"^Cut at 2[^>]*^>$")
        expect(chat.saved()[0]["content"] == "two\nlines", "an entry of two lines is not sent as such")


@check
def chinese():
    with Terminal(["--max-tokens", "2"]) as chat:
        chat.prompt()
        text = "你好世界，这是一个很长的句子，用来测试六十列终端里的换行是否正确，以及删除和插入。"
        chat.type(text)
        chat.wait(lambda screen: joined(screen).endswith(text))
        chat.keys("BSpace", "BSpace", "C-a", "Right", "Right", "BSpace")
        chat.type("们a")
        edited = "你们a世界" + text[4:-2]
        # Broken before a wide character that would not fit whole.
        screen = chat.wait(lambda screen: joined(screen).endswith(joined(">" + edited)))
        rows = screen.split("\n")[-2:]
        expect(rows == ["> " + edited[:29], edited[29:]], f"rows: {rows}")
        chat.keys("C-e", "BSpace", "Enter")
        chat.wait(r"^Cut at 2[^>]*^>$")
        expect(chat.saved()[0]["content"] == edited[:-1], "what was sent is not what was shown")


@check
def commands():
    with Terminal(["--temperature", "0", "--max-tokens", "12", "--system", "Answer shortly."]) as chat:
        chat.prompt()
        chat.command("/candidates", r"^Error: there is no answer yet")
        chat.command("/regenerate", r"^Error: nothing was asked")
        chat.command("Name a color.", r"\S[^>]*\n\n>$")
        screen = chat.command("/candidates 3", r"^\"[^\"]*\" +\d+\.\d  \"")
        expect(max(map(len, screen.split("\n"))) <= 60, "the table is wider than the terminal")
        screen = chat.command("/stats", r"^planned ")
        for part in (r"tokens held +\d+ of 8192", r"last answer +\d+ tokens, [\d.]+/s", r"memory +\d+"):
            expect(re.search(part, screen), f"{part} is not in {screen}")
        before = chat.saved()
        chat.command("/regenerate", r"\S[^>]*\n\n>$")
        expect(chat.saved() == before, "the likeliest answer is another one now")
        chat.command("/system", r"^The model is told: Answer shortly\.$")
        chat.command("/system Answer at length.", r"^The instructions are changed")
        expect(chat.saved()[0]["content"] == "Answer at length.", "the instructions are the old ones")
        chat.command("/reset", r"begins anew; the instructions stay\.$")
        expect(len(chat.saved()) == 1, "something is left of the conversation")
        (chat.home / "before.json").write_text(json.dumps({"messages": before}), encoding="utf-8")
        chat.command("/load before.json", r"^The conversation has 3 messages\.$")
        expect(chat.saved() == before, "what was loaded is not what was saved")
        (chat.home / "bad.json").write_text('{"messages": [{"role": "user"}]}', encoding="utf-8")
        chat.command("/load bad.json", r'^Error: bad\.json: not a conversation: messages\[0\] has\s+no\s+"content"$')
        (chat.home / "mine.txt").write_text("precious", encoding="utf-8")
        chat.command("/save mine.txt", r"^Error: mine\.txt: is there already")
        expect((chat.home / "mine.txt").read_text() == "precious", "it wrote over a file")
        chat.command("/drop", r"^Forgotten:\n  Name a color\.$")
        chat.command("/nonsense", r"^Error: there is no command /nonsense;(.|\n)*/candidates")
        screen = chat.command("/help", r"^Ctrl-D +ends the chat$")
        expect(max(map(len, screen.split("\n"))) <= 60, "the help is wider than the terminal")
        chat.command("//help me", r"\S[^>]*\n\n>$")
        expect(chat.saved()[-2]["content"] == "/help me", "two slashes do not send one")


@check
def no_room():
    with Terminal(["--temperature", "0", "--max-tokens", "30", "--context", "150"]) as chat:
        chat.prompt()
        for number in range(10):
            chat.keys("C-l")
            chat.wait(lambda screen: screen.strip() == ">")
            chat.say(f"Tell me something about the number {number}, please.")
            screen = chat.wait(r"[^>]\n\n?>$")
            if "Error:" in screen:
                break
        error = " ".join(screen.split())
        found = re.search(r"has (\d+) tokens with this message, and 150 are all there is room for.* /drop (\d+)", error)
        expect(found and int(found[1]) >= 150, f"both numbers and an offer are expected: {error}")
        screen = chat.command("/drop", r"^The message is sent again\.\n(.|\n)*\n\n>$")
        expect(screen.count("Tell me something about the number") == int(found[2]), "it does not say what was dropped")
        messages = chat.saved()
        expect(messages[-2]["content"] == f"Tell me something about the number {number}, please.", messages)


@check
def confidence():
    arguments = ["--temperature", "1", "--seed", "1", "--max-tokens", "40", "--confidence"]
    with Terminal(arguments) as chat:
        chat.prompt()
        chat.say("Tell me a story.")
        chat.wait(r"\S[^>]*\n\n>$")
        screen = chat.screen("-e")
        for color in ("\x1b[31m", "\x1b[32m", "\x1b[33m"):
            expect(color in screen.split("story.")[-1], f"{color!r} is not there: {screen!r}")
        expect("%]" not in screen, "there are marks beside the colors")
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with Terminal(arguments, **environment) as chat:
            chat.wait(r"^> ?$")
            chat.say("Tell me a story.")
            chat.wait(r"\S[^>]*\n\n> ?$")
            screen = chat.screen("-e")
            expect("\x1b" not in screen, f"there is color: {screen!r}")
            expect(re.search(r"\[\d+%\]", screen.split("story.")[-1]), f"there are no marks: {screen}")
            chat.keys("C-d")
            expect(chat.ended() == 0, "its status is not 0")


@check
def pasting_and_sizes():
    with Terminal(["--max-tokens", "2"]) as chat:
        chat.prompt()
        chat.tmux("set-buffer", "-b", "lines", "one\ntwo 中\n\x07three\n")
        chat.tmux("paste-buffer", "-p", "-b", "lines")
        chat.wait(r"^> one\ntwo 中\nthree$")
        chat.keys("Enter")
        chat.wait(r"^Cut at 2[^>]*^>$")
        expect(chat.saved()[0]["content"] == "one\ntwo 中\nthree", "what was pasted is not one message")
        chat.tmux("resize-window", "-x", "40", "-y", "20")
        chat.keys("C-l")
        chat.type("a" * 50)
        chat.wait(rf"^> {'a' * 38}\n{'a' * 12}$")
        chat.keys("C-u")
        expect(max(map(len, chat.command("/help", r"^Ctrl-D +ends the chat$").split("\n"))) <= 40, "wider than 40")


@check
def ended_from_outside():
    with Terminal(["--temperature", "0"]) as chat:
        chat.prompt()
        chat.say(LONG)
        chat.wait(r"chapters\.\s*\S")
        os.kill(chat.process(), signal.SIGTERM)
        expect(chat.ended() == 1, "SIGTERM while it answers is not status 1")
        chat.type("echo")
        chat.wait(r"^echo")  # the terminal echoes again


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tinygpt", default=str(ROOT / ".build/release/tinygpt"))
    parser.add_argument("--model", default=os.environ.get("TINYGPT_TEST_MODEL")
                        or str(ROOT / "weights/SmolLM2-135M-Instruct.Q4_1.gguf"))
    parser.add_argument("--show", action="store_true", help="print the last screens")
    parser.add_argument("--patience", type=float, default=1.0, help="times as long as usual, for slow builds")
    parser.add_argument("names", nargs="*", metavar="NAME", help="checks to run; all if none is named")
    OPTIONS = parser.parse_args()
    OPTIONS.tinygpt = str(Path(OPTIONS.tinygpt).resolve())
    OPTIONS.model = str(Path(OPTIONS.model).resolve())
    known = {function.__name__: function for function in CHECKS}
    unknown = [name for name in OPTIONS.names if name not in known]
    if unknown:
        parser.error(f"there is no check {unknown[0]}; there are {', '.join(known)}")
    failed = 0
    for name in OPTIONS.names or known:
        began = time.monotonic()
        try:
            known[name]()
            print(f"{name}: held, {time.monotonic() - began:.1f} s", flush=True)
        except (AssertionError, subprocess.CalledProcessError, OSError, ValueError, LookupError, AttributeError):
            failed += 1
            print(f"{name}: FAILED\n{traceback.format_exc()}", flush=True)
    print(f"{len(OPTIONS.names or known) - failed} checks held, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
