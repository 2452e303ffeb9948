"""Tests of what the command reads from and writes to: pipes, devices, links, standard streams that are closed, and signals.

    TINYGPT_BINARY=.build/release/tinygpt python3 -m unittest discover scripts/tests
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

BINARY = os.environ.get("TINYGPT_BINARY")
ROOT = Path(__file__).resolve().parent.parent.parent
MODEL = str(ROOT / "Tests/Fixtures/llama-default")


@unittest.skipUnless(BINARY, "TINYGPT_BINARY names no program")
class Streams(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_command(self, *arguments, **options):
        # As many threads of OpenBLAS, and so as much memory, wherever this runs.
        environment = dict(os.environ, TINYGPT_MODEL=MODEL, OPENBLAS_NUM_THREADS="2")
        options.setdefault("stdin", subprocess.DEVNULL)
        if "input" in options:
            del options["stdin"]
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(
            [BINARY, *arguments], env=environment, stderr=subprocess.PIPE, timeout=120, **options)

    def fails(self, result, code, *words):
        said = result.stderr.decode()
        self.assertEqual(result.returncode, code, said)
        for word in words:
            self.assertIn(word, said)

    # What is read.

    def test_standard_input_that_is_closed_or_a_folder(self):
        for verb in ("tokenize", "generate", "next"):
            self.fails(
                self.run_command(verb, stdin=None, preexec_fn=lambda: os.close(0)), 1, "standard input: cannot be read")
        folder = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        self.fails(self.run_command("tokenize", stdin=folder), 1, "standard input: cannot be read", "directory")
        template = self.folder / "template"
        template.write_text("{{ messages }}")
        result = self.run_command(
            "chat-template", "--template-file", str(template), "--messages", "-", stdin=folder)
        self.fails(result, 1, "standard input: cannot be read")

    def test_a_text_comes_from_anywhere(self):
        file = self.folder / "text"
        file.write_text("Once upon")
        expected = self.run_command("tokenize", "--json", "Once upon").stdout
        self.assertTrue(json.loads(expected)["tokens"])
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        threading.Thread(target=pipe.write_text, args=["Once upon"]).start()
        found = [
            self.run_command("tokenize", "--json", "--file", str(pipe)),
            self.run_command("tokenize", "--json", "--file", str(file)),
            self.run_command("tokenize", "--json", "--file", "-", input=b"Once upon"),
            self.run_command("tokenize", "--json", "--file", "/dev/stdin", input=b"Once upon"),
            self.run_command("tokenize", "--json", input=b"Once upon"),
        ]
        self.assertEqual([each.stdout for each in found], [expected] * len(found), found[0].stderr)

    def test_what_is_no_file(self):
        self.fails(self.run_command("tokenize", "--file", str(self.folder)), 1, str(self.folder), "directory")
        self.fails(self.run_command("tokenize", "--file", "/nowhere/text"), 1, "/nowhere/text: cannot be read: No such")

    def test_bytes_that_are_no_text(self):
        self.fails(self.run_command("tokenize", input=b"abc\xffd"), 1, "standard input: is not valid UTF-8 at byte 3")
        self.fails(self.run_command("tokenize", b"abc\xff"), 64, "argument 2 is not valid UTF-8 at byte 3")

    # What is written.

    @unittest.skipUnless(sys.platform == "linux", "there is no /dev/full")
    def test_a_full_device(self):
        with open("/dev/full", "wb") as full:
            self.fails(
                self.run_command("tokenize", "Once", stdout=full), 1, "standard output: cannot be written: No space left")

    def profile(self, *arguments):
        return self.run_command(
            "profile", "--prompt-tokens", "4", "--generate-tokens", "2", "--repetitions", "1", *arguments)

    def test_where_a_link_leads_is_written_to(self):
        target, link = self.folder / "target", self.folder / "link"
        target.write_text("before")
        target.chmod(0o600)
        link.symlink_to(target)
        result = self.profile("--trace", str(link), "--plot", str(self.folder / "plot"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(link.is_symlink())
        self.assertTrue(json.loads(target.read_text())["traceEvents"])
        self.assertEqual(target.stat().st_mode & 0o777, 0o600)
        self.assertTrue((self.folder / "plot").read_text().startswith("<svg"))
        page = self.folder / "page"
        page.symlink_to(target)
        self.assertEqual(self.run_command("next", "Once", "--html", str(page)).returncode, 0)
        self.assertTrue(page.is_symlink())
        self.assertIn("<html", target.read_text())
        vectors = self.folder / "vectors.jsonl"
        vectors.symlink_to(target)
        self.assertEqual(self.run_command("embed", "Once", "--output", str(vectors)).returncode, 0)
        self.assertTrue(vectors.is_symlink())
        self.assertTrue(json.loads(target.read_text())["embedding"])

    def test_what_is_read_is_not_replaced(self):
        model, text = self.folder / "model.gguf", self.folder / "text"
        model.write_bytes((ROOT / "Tests/Fixtures/llama-default/model.Q4_0.gguf").read_bytes())
        text.write_text("Once upon")
        link, copy = self.folder / "link", self.folder / "checkpoint"
        link.symlink_to(model)
        shutil.copytree(MODEL, copy)
        before = {path: path.read_bytes() for path in [model, text, *copy.iterdir()] if path.is_file()}
        from_text = ["--model", str(model), "--generate-tokens", "1", "--repetitions", "1", "--file", str(text)]
        for output in ("--trace", "--plot"):
            for path in (model, text, link):
                self.fails(self.run_command("profile", *from_text, output, str(path)), 1, str(path.resolve()), "read")
        for path in (model, text):
            self.fails(
                self.run_command("next", "--model", str(model), "--file", str(text), "--html", str(path)), 1, str(path))
        tokenizer = str(copy / "tokenizer.json")
        self.fails(self.run_command("next", "--model", str(copy), "Once", "--html", tokenizer), 1, tokenizer)
        # The vectors of texts too.
        lines, weights = self.folder / "lines.jsonl", copy / "model.safetensors"
        lines.write_text('{"text": "Once upon"}\n')
        before[lines] = lines.read_bytes()
        for path in (lines, weights):
            self.fails(
                self.run_command("embed", "--model", str(copy), "--file", str(lines), "--output", str(path)), 1,
                str(path), "is what would be read")
        self.assertEqual({path: path.read_bytes() for path in before}, before)

    def test_two_results_are_not_one_file(self):
        both = ["--trace", str(self.folder / "a"), "--plot", f"{self.folder}/./a"]
        self.fails(self.profile(*both), 1, "--trace", "--plot", "same file")
        self.assertEqual(os.listdir(self.folder), [])
        self.assertEqual(self.profile("--trace", "/dev/null", "--plot", "/dev/null").returncode, 0)

    def test_a_pipe_is_written_to(self):
        pipe, read = self.folder / "pipe", []
        os.mkfifo(pipe)
        reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
        reader.start()
        result = self.profile("--trace", str(pipe))
        self.assertEqual(result.returncode, 0, result.stderr)
        reader.join(60)
        self.assertTrue(pipe.is_fifo())
        self.assertTrue(json.loads(read[0])["traceEvents"])

    def test_what_cannot_be_written_is_known_at_once(self):
        for arguments in (["--trace", "/nowhere/trace"], ["--plot", str(self.folder)]):
            result = self.profile("--model", "/nowhere/model", *arguments)
            self.fails(result, 1, arguments[1])
            self.assertNotIn("/nowhere/model", result.stderr.decode())

    @unittest.skipUnless(sys.platform == "linux", "limits of files are not kept everywhere")
    def test_nothing_is_left_of_what_cannot_be_finished(self):
        trace = self.folder / "trace"
        trace.write_text("before")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

        result = self.run_command(
            "profile", "--prompt-tokens", "4", "--generate-tokens", "2", "--repetitions", "1", "--trace", str(trace),
            preexec_fn=limit)
        self.fails(result, 1, str(trace), "cannot be written")
        self.assertIn(b"tokens", result.stdout)
        self.assertEqual(trace.read_text(), "before")
        self.assertEqual(os.listdir(self.folder), ["trace"])

    # How it ends.

    def test_lengths_are_checked_before_anything_is_measured(self):
        result = self.run_command("bench", "--prompt-tokens", "4,9000000", "--repetitions", "1000", "--cold-starts", "0")
        self.fails(result, 1, "9000000")

    @unittest.skipUnless(sys.platform == "linux", "children are found in /proc")
    def test_what_was_started_ends_too(self):
        def state(pid):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                return fields[0], int(fields[1])
            except OSError:
                return "gone", 0

        def children(parent):
            pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
            return [pid for pid in pids if state(pid)[1] == parent and state(pid)[0] != "Z"]

        def wait(condition):
            end = time.monotonic() + 60
            while not condition() and time.monotonic() < end:
                time.sleep(0.05)
            self.assertTrue(condition())

        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                [BINARY, "bench", "--model", MODEL, "--sweep", "threads", "--repetitions", "1000", "--cold-starts", "0",
                 "--prompt-tokens", ",".join(100 * ["60"]), "--generate-tokens", "0"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            wait(lambda: children(process.pid))
            time.sleep(0.5)  # so that what watches over the child is there as well
            child = children(process.pid)[0]
            process.send_signal(number)
            self.assertEqual(process.wait(60), -number)
            wait(lambda: state(child)[0] in ("gone", "Z"))

    @unittest.skipUnless(sys.platform == "linux", "limits of address space are not kept everywhere")
    def test_it_ends_where_memory_is_short(self):
        ends = []
        for megabytes in (150, 200, 260):
            limit = megabytes << 20
            # Hanging, it would be ended by run_command, with an exception. How much is too little depends on the system.
            result = self.run_command(
                "tokenize", "Once", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
            ends.append(result.returncode)
        self.assertIn(ends[-1], (0, 1), result.stderr)


if __name__ == "__main__":
    unittest.main()
