"""Tests of scripts/check_instructions: that growth is found and told, and that foreign surroundings are not compared.

    python3 -m unittest discover scripts/tests
"""

import json
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent
HERE = {"clang": "21", "libc": "glibc 2.36"}
RECORDED = {"surroundings": HERE, "counts": {"avx2": {"softmax": 1000, "attend": 2000}}}


def load():
    """The script as a module; it has no `.py` in its name."""
    loader = SourceFileLoader("check_instructions", str(SCRIPTS / "check_instructions"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class CheckInstructions(unittest.TestCase):
    script = load()

    def compare(self, **counts):
        return self.script.compare(RECORDED["counts"], {"avx2": counts})

    def test_two_per_cent_more_are_allowed(self):
        self.assertEqual(self.compare(softmax=1020, attend=2000), ([], []))

    def test_growth_is_told_with_its_kernel_and_how_much(self):
        self.assertEqual(self.compare(softmax=1021, attend=3000), (
            ["avx2, softmax: 1000 -> 1021 instructions (+2.1%)", "avx2, attend: 2000 -> 3000 instructions (+50.0%)"], []))

    def test_fewer_are_no_fault_but_are_told(self):
        faults, notes = self.compare(softmax=500, attend=2000)
        self.assertEqual((faults, len(notes)), ([], 1))
        self.assertIn("-50.0%", notes[0])

    def test_what_only_one_side_has_is_a_fault(self):
        faults, _ = self.compare(softmax=1000, silu=5)
        self.assertEqual(faults, ["avx2, silu: 5 instructions, and nothing is recorded",
                                  "avx2, attend: recorded, and not counted any more"])

    def test_with_another_compiler_nothing_is_counted(self):
        faults, notes = self.script.check(RECORDED, {**HERE, "clang": "22"}, lambda: self.fail("it was counted"))
        self.assertEqual((faults, notes), ([], ["not compared: clang is 22, recorded with 21"]))

    def test_with_the_same_compiler_it_is(self):
        faults, _ = self.script.check(RECORDED, HERE, lambda: {"avx2": {"softmax": 2000, "attend": 2000}})
        self.assertEqual(len(faults), 1)

    def test_the_record_is_whole(self):
        record = json.loads((SCRIPTS.parent / "Benchmarks" / "instructions.json").read_text())
        self.assertEqual(sorted(record["counts"]), sorted(self.script.INSTRUCTION_SETS))
        for counts in record["counts"].values():
            self.assertTrue({"multiply_packed Q4_0", "attend", "decoded token"} <= counts.keys())


if __name__ == "__main__":
    unittest.main()
