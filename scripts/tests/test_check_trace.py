"""check_trace finds what is wrong with a trace, and finds nothing wrong with the one that tinygpt writes."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import check_trace  # noqa: E402


def event(name="norm", ts=0.0, dur=1.0, tid=0, **changes):
    return {"name": name, "cat": "kernel", "ph": "X", "ts": ts, "dur": dur, "pid": 1, "tid": tid, "args": {}, **changes}


NAME = {"name": "thread_name", "ph": "M", "pid": 1, "tid": 0, "args": {"name": "calling thread"}}


def faults(*events, **top):
    return check_trace.check(json.dumps({"traceEvents": list(events), "displayTimeUnit": "ms", **top}))[0]


class CheckTraceTests(unittest.TestCase):
    def test_what_nests_or_lies_apart_is_right(self):
        self.assertEqual(faults(NAME, event("layer", 0, 10), event(ts=1, dur=2), event(ts=3, dur=7), event(ts=10)), [])
        # Sums of decimal fractions are exact.
        self.assertEqual(faults(NAME, event("layer", 0.1, 0.2), event(ts=0.1, dur=0.1), event(ts=0.2, dur=0.1)), [])

    def test_overlap_is_found(self):
        self.assertIn("begins in layer", faults(NAME, event("layer", 0, 10), event(ts=9, dur=2))[0])

    def test_missing_and_wrong_fields_are_found(self):
        for changes in ({"ts": -1}, {"ts": "0"}, {"dur": None}, {"cat": ""}, {"name": ""}, {"pid": 1.5}, {"tid": "0"},
                        {"ph": "Q"}, {"args": []}, {"dur": True}):
            self.assertEqual(len(faults(NAME, event(**changes))), 1, changes)

    def test_unnamed_threads_and_unknown_metadata_are_found(self):
        self.assertIn("has no name", faults(NAME, event(tid=1))[0])
        self.assertIn("no metadata", faults({**NAME, "name": "color"})[0])
        self.assertIn("lacks args.name", faults({**NAME, "args": {}})[0])

    def test_what_is_no_trace_is_found(self):
        self.assertIn("is no JSON", check_trace.check("{")[0][0])
        self.assertIn("no list", check_trace.check("[]")[0][0])
        self.assertIn("no events", faults(NAME)[0])
        self.assertIn("displayTimeUnit", faults(NAME, event(), displayTimeUnit="s")[0])

    def test_the_trace_of_tinygpt(self):
        binary = os.environ.get("TINYGPT_BINARY")
        if not binary:
            self.skipTest("TINYGPT_BINARY names no program")
        model = ROOT / "Tests" / "Fixtures" / "llama-default" / "model.Q4_0.gguf"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.json"
            subprocess.run([ROOT / binary, "profile", "--model", model, "--threads", "2", "--prompt-tokens", "24",
                            "--generate-tokens", "8", "--repetitions", "1", "--trace", path], check=True,
                           capture_output=True)
            found, threads = check_trace.check(path.read_text())
        self.assertEqual(found, [])
        self.assertGreater(threads[(1, 0)], 100)


if __name__ == "__main__":
    unittest.main()
