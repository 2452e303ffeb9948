#!/usr/bin/env python3
"""Makes the reference outputs that the tests compare with (design, section 9).

    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-fixtures.txt \\
        --extra-index-url <PyTorch's index of CPU builds, to save the download of CUDA>
    .venv/bin/python scripts/make_fixtures.py --llama-cpp DIR
    .venv/bin/python scripts/make_fixtures.py --only llama-yarn dequantize

The same versions give the same bytes. Everything is random but seeded, except `smollm2`, `gemma3-270m` and
`minilm`, which need what scripts/fetch_weights fetches and are left out with a note where it is missing, and the
GGUF files of the families, which llama.cpp's converter makes (scripts/fixtures/convert.py says where to get it).
"""

import argparse
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here is to be looked up anywhere
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch  # noqa: E402
import transformers  # noqa: E402

from fixtures import (  # noqa: E402
    blocks, checkpoints, families, families_classic, families_cpm, families_dense, families_encoders, families_gemma,
    families_gpt_oss, families_moe, gemma3, gpt2, llama, minilm, releases, smollm2,
)
from fixtures.released import RELEASES  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = [family for module in (
    families_dense, families_gemma, families_moe, families_gpt_oss, families_classic, families_cpm,
    families_encoders) for family in module.VARIANTS]
FETCHED = {
    "smollm2": (smollm2, "SmolLM2-135M-Instruct.Q4_1.gguf"),
    "gemma3-270m": (gemma3, "gemma-3-270m-q4_k_m.gguf"),
    "minilm": (minilm, "all-MiniLM-L6-v2"),
}


def jobs(arguments) -> dict:
    variants = {v.name: lambda v=v: checkpoints.make(v, arguments.output) for v in llama.VARIANTS + gpt2.VARIANTS}
    converter = families.llama_cpp_directory(arguments.llama_cpp)
    variants |= {f.name: lambda f=f: families.make(f, arguments.output, converter) for f in FAMILIES}
    variants |= {r.name: lambda r=r: releases.make(r, arguments.output, converter) for r in RELEASES}
    variants |= {
        name: lambda module=module, file=file: module.make(arguments.output, arguments.weights / file)
        for name, (module, file) in FETCHED.items()}
    return variants | {
        "llama-mixed": lambda: blocks.make_mixed(arguments.output),
        "dequantize": lambda: blocks.make_dequantize(arguments.output),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these folders")
    parser.add_argument("--output", type=Path, default=ROOT / "Tests" / "Fixtures")
    parser.add_argument("--weights", type=Path, default=ROOT / "weights", metavar="DIR", help="the fetched models")
    parser.add_argument("--llama-cpp", type=Path, metavar="DIR", help="llama.cpp's sources, for their converter")
    arguments = parser.parse_args()
    known = jobs(arguments)
    if unknown := set(arguments.only or []) - known.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")

    torch.set_num_threads(1)  # the order of sums, and so the last bits, must not depend on the machine's cores
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for name in arguments.only or known:
        if name in FETCHED and not arguments.only and not (arguments.weights / FETCHED[name][1]).exists():
            print(f"{name}: left out, no {FETCHED[name][1]}; see scripts/fetch_weights")
            continue
        print(f"{name}: {known[name]()}", flush=True)


if __name__ == "__main__":
    main()
