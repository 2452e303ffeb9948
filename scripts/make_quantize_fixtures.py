#!/usr/bin/env python3
"""Makes Tests/Fixtures/quantize/quantize.safetensors: what others quantize the same floats to.

    scripts/make_quantize_fixtures.py LIBGGML_BASE      for instance /usr/lib/libggml-base.so

`values` [rows, 512] are floats of every kind that files have: normal and heavy-tailed ones, ties, zeros of both signs,
numbers too small for a half and for a float's own exponent. `TYPE.bytes` is what the Python package `gguf` makes of them,
for Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, F16 and BF16. For the types of 256 `TYPE.error` is the sum of squared errors of what
ggml's own quantizer makes of `weights` [16, 512], and `TYPE.weighted` that of `importance` · error² where ggml is given
`importance` [512]. Needs numpy, gguf and safetensors; the versions are written into the file.
"""

import ctypes
import sys
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "quantize"


def values(rng):
    normal = rng.standard_normal((2, 512)) * 0.02
    heavy = rng.standard_normal((2, 512)) * np.exp(rng.uniform(-20, 8, (2, 512)))
    steps = rng.integers(-8, 8, (1, 512)) / 16  # halves between codes
    tiny = rng.standard_normal((1, 512)) * 1e-39
    tiniest = rng.standard_normal((1, 512)) * 1e-43
    zeros = np.zeros((1, 512))
    zeros[0, 256:] = -0.0
    constant = np.full((1, 512), -0.37)
    return np.concatenate([normal, heavy, steps, tiny, tiniest, zeros, constant]).astype(np.float32)


def main():
    ggml = ctypes.CDLL(sys.argv[1])
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [
        ctypes.c_void_p]
    rng = np.random.default_rng(20261122)
    floats = values(rng)
    weights = (rng.standard_t(4, (16, 512)) * 0.02).astype(np.float32)
    importance = np.exp(rng.standard_normal(512) * 1.5).astype(np.float32)
    tensors = {"values": floats, "weights": weights, "importance": importance}
    for name in ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "F16", "BF16"]:
        with np.errstate(all="ignore"):
            tensors[f"{name}.bytes"] = np.ascontiguousarray(quantize(floats, Type[name])).view(np.uint8)
    for name in ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]:
        block, size = gguf.GGML_QUANT_SIZES[Type[name]]
        for key, given in [("error", None), ("weighted", importance)]:
            out = np.zeros((16, 512 // block * size), np.uint8)
            ggml.ggml_quantize_chunk(int(Type[name]), weights.ctypes.data, out.ctypes.data, 0, 16, 512,
                                     None if given is None else given.ctypes.data)
            error = (dequantize(out, Type[name]).astype(np.float64) - weights) ** 2
            tensors[f"{name}.{key}"] = np.array([(error * (1 if given is None else given)).sum()], np.float32)
    FOLDER.mkdir(exist_ok=True)
    save_file(tensors, FOLDER / "quantize.safetensors", {
        "purpose": __doc__.split("\n")[0], "numpy": np.__version__, "gguf": version("gguf"), "seed": "20261122"})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
