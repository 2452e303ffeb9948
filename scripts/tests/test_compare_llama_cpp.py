"""Tests of Benchmarks/compare_llama_cpp, with two small programs in place of the engines.

    python3 -m unittest discover scripts/tests
"""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "Benchmarks" / "compare_llama_cpp"
TINYGPT = """#!/bin/sh
echo "tinygpt $1" >>"$(dirname "$0")/log"
case "$1" in
    tokenize) echo '{"tokens": [1, 2, 3, 4, 5], "pieces": []}' ;;
    bench) echo '{"results": [{"test": "prompt", "tokens_per_second": {"median": 300}},
                              {"test": "decode", "tokens_per_second": {"median": 50}}], "threads": 2}' ;;
esac
"""
LLAMA_BENCH = """#!/bin/sh
echo "llama $*" >>"$(dirname "$0")/log"
echo '[{"n_prompt": 512, "n_gen": 0, "samples_ts": [100, 999, 90]}, {"n_prompt": 0, "n_gen": 128, "samples_ts": [100]}]'
"""


class CompareLlamaCpp(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        for name, text in [("tinygpt", TINYGPT), ("llama", LLAMA_BENCH), ("model.gguf", "GGUF")]:
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)

    def compare(self, *options, llama="llama"):
        return subprocess.run([str(SCRIPT), "--tinygpt", str(self.folder / "tinygpt"), "--llama-bench",
                               str(self.folder / llama), "--rounds", "2", *options, str(self.folder / "model.gguf")],
                              capture_output=True, text=True)

    def test_ratios_are_taken_of_medians_and_turned_so_that_more_is_better(self):
        result = self.compare("--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = json.loads(result.stdout)["models"][0]["results"]
        by = {(line["test"], line["engine"]): line for line in lines}
        self.assertEqual(by["prompt", "llama.cpp"]["tinygpt_is_better_by"], {"median": 3.0, "least": 3.0, "most": 3.0})
        self.assertEqual(by["decode", "llama.cpp"]["tinygpt_is_better_by"]["median"], 0.5)
        self.assertGreater(by["start", "llama.cpp"]["tinygpt_is_better_by"]["least"], 0)
        self.assertGreater(by["memory", "tinygpt"]["median"], 0)

    def test_rounds_begin_in_turn_with_each_engine(self):
        self.compare()
        engines = [line.split()[0] for line in (self.folder / "log").read_text().splitlines()][2:]
        self.assertEqual(engines, ["tinygpt"] * 2 + ["llama"] * 4 + ["tinygpt"] * 2)
        self.assertIn("-p 5 -n 0", (self.folder / "log").read_text())

    def test_the_table_names_the_file_and_the_ratio(self):
        output = self.compare().stdout
        self.assertIn("model.gguf", output)
        self.assertIn("3.00x (3.00 to 3.00)", output)

    def test_threads_are_those_that_tinygpt_takes(self):
        self.compare()
        self.assertIn("-t 2 -o json", (self.folder / "log").read_text())
        self.compare("--threads", "3")
        self.assertIn("-t 3 -o json", (self.folder / "log").read_text())

    def test_of_several_the_better_one_counts_in_each_round(self):
        (self.folder / "fast").write_text(LLAMA_BENCH.replace("[100, 999, 90]", "[600]"))
        (self.folder / "fast").chmod(0o755)
        result = self.compare("--json", "--llama-bench", f"fast={self.folder}/fast", llama="llama")
        lines = json.loads(result.stdout)["models"][0]["results"]
        better = [line for line in lines if line["engine"] == "better of these" and line["test"] == "prompt"]
        self.assertEqual(better[0]["tinygpt_is_better_by"]["median"], 0.5)
        self.assertEqual(len([line for line in lines if line["test"] == "prompt"]), 4)

    def test_what_cannot_be_compared_is_told_before_anything_runs(self):
        (self.folder / "text").write_text("no program")
        for options, word in [(["--rounds", "0"], "0 is too little"), (["--threads", "x"], "x"),
                              (["/nowhere.gguf"], "No such file"), ([str(self.folder / "text")], "no GGUF file"),
                              (["--llama-bench", str(self.folder / "text")], "no program"),
                              (["--llama-bench", f"tinygpt={self.folder}/llama"], "another name")]:
            result = self.compare(*options)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(word, result.stderr)
            self.assertFalse((self.folder / "log").exists())

    def test_a_wrong_program_is_told(self):
        result = self.compare(llama="true")
        self.assertIn("no program that can be run", result.stderr)
        (self.folder / "true").write_text("#!/bin/sh\n")
        (self.folder / "true").chmod(0o755)
        self.assertIn("was to print JSON", self.compare(llama="true").stderr)

    def test_an_engine_that_fails_is_told(self):
        (self.folder / "bad").write_text("#!/bin/sh\necho no such tensor >&2\nexit 3\n")
        (self.folder / "bad").chmod(0o755)
        result = self.compare(llama="bad")
        self.assertEqual(result.returncode, 1)
        self.assertIn("ended with status 3:\nno such tensor", result.stderr)


if __name__ == "__main__":
    unittest.main()
