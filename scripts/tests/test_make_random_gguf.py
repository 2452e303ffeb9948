"""Tests of scripts/make_random_gguf.py at its tiny shape. That tinygpt runs the files is tested with the program that
TINYGPT_BINARY names.

    TINYGPT_BINARY=.build/release/tinygpt python3 -m unittest discover scripts/tests
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import gguf
import numpy as np

SCRIPT = Path(__file__).resolve().parent.parent / "make_random_gguf.py"
sys.path.insert(0, str(SCRIPT.parent))

import make_random_gguf  # noqa: E402

TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4",
         "F16", "BF16", "F32", "Q4_K_M"]


class MakeRandomGGUF(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def make(self, kind, seed=1):
        path = self.folder / f"{kind}.gguf"
        make_random_gguf.write(path, "tiny", kind, seed)
        return path

    def test_the_command_leaves_one_file(self):
        path = self.folder / "model.gguf"
        command = [sys.executable, str(SCRIPT), "--shape", "tiny", "--type", "Q4_0", str(path)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        self.assertEqual([file.name for file in self.folder.iterdir()], ["model.gguf"])
        self.assertIn("model.gguf: 1 MB", output)

    def test_every_type_reads_back_with_a_sane_spread(self):
        for kind in TYPES:
            with self.subTest(kind):
                tensors = gguf.GGUFReader(self.make(kind)).tensors
                self.assertEqual(len(tensors), 2 + 2 * 9)
                for tensor in tensors:
                    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
                    self.assertTrue(np.isfinite(values).all(), tensor.name)
                    if len(tensor.shape) == 1:
                        self.assertTrue((values == 1).all(), tensor.name)
                        continue
                    if kind != "Q4_K_M":
                        self.assertEqual(tensor.tensor_type.name, kind)
                    # The scale of MXFP4 is a power of two, so as near as that allows.
                    delta = 0.42 if kind == "MXFP4" else 0.1
                    self.assertAlmostEqual(values.std() * tensor.shape[0] ** 0.5, 1, delta=delta, msg=tensor.name)
                    self.assertLess(abs(values.mean()), 0.1 * values.std(), tensor.name)

    def test_the_mixture_has_six_bits_in_half_of_the_layers_and_in_the_head(self):
        tensors = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(self.make("Q4_K_M")).tensors}
        six = {name for name, kind in tensors.items() if kind == "Q6_K"}
        self.assertEqual(six, {"token_embd.weight", "blk.1.attn_v.weight", "blk.1.ffn_down.weight"})

    def test_the_mixture_gives_attention_more_beside_eight_experts(self):
        shape = make_random_gguf.SHAPES["8x-1b"]
        kinds = {name: make_random_gguf.type_of(name, size, "Q4_K_M", shape).name
                 for name, size in make_random_gguf.matrices(shape).items() if name.startswith("blk.2.")}
        self.assertEqual(
            {name.split(".")[2]: kind for name, kind in kinds.items() if kind not in ("F32", "Q4_K")},
            {"attn_k": "Q8_0", "attn_v": "Q8_0", "attn_output": "Q5_K"})
        down = make_random_gguf.type_of("blk.0.ffn_down_exps.weight", (8, 2048, 4096), "Q4_K_M", shape)
        self.assertEqual(down.name, "Q6_K")

    def test_what_is_no_file_is_not_replaced(self):
        pipe, taken = self.folder / "pipe", self.folder / "model"
        os.mkfifo(pipe)
        (self.folder / "model.partial").mkdir()
        for arguments, word in [([str(pipe)], "no regular file"), ([str(self.folder)], "no regular file"), (["/"], "name"),
                                ([str(taken)], "model.partial"), (["--seed", "-1", str(taken)], "seed")]:
            command = [sys.executable, str(SCRIPT), "--shape", "tiny", "--type", "Q4_0", *arguments]
            result = subprocess.run(command, capture_output=True, text=True)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(word, result.stderr)
            self.assertNotIn("Traceback", result.stderr)
        self.assertTrue(pipe.is_fifo())
        self.assertEqual(sorted(os.listdir(self.folder)), ["model.partial", "pipe"])

    def test_a_seed_gives_the_same_bytes_and_another_gives_others(self):
        digests = [hashlib.sha256(self.make("Q4_K", seed).read_bytes()).digest() for seed in (7, 7, 8)]
        self.assertEqual(digests[0], digests[1])
        self.assertNotEqual(digests[0], digests[2])

    @unittest.skipUnless("TINYGPT_BINARY" in os.environ, "TINYGPT_BINARY names no program")
    def test_tinygpt_runs_every_type_and_its_logits_are_finite(self):
        for kind in TYPES:
            with self.subTest(kind):
                path = self.make(kind)
                command = [os.environ["TINYGPT_BINARY"], "bench", "--model", path, "--prompt-tokens", "8",
                           "--generate-tokens", "4", "--repetitions", "1", "--json"]
                report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                self.assertTrue(all(result["tokens_per_second"]["median"] > 0 for result in report["results"]))
                command = [os.environ["TINYGPT_BINARY"], "next", "--model", path, "--json", "Once"]
                candidates = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["candidates"]
                self.assertTrue(all(abs(candidate["logit"]) < 100 for candidate in candidates))


if __name__ == "__main__":
    unittest.main()
