#!/usr/bin/env python3
"""Compares a model's perplexity with that of transformers on the expanded weights, and with llama.cpp's.

    python scripts/check_perplexity.py --llama-cpp LIBRARY --package DIR [--file TEXT] MODEL.gguf

One text, cut and scored as llama-perplexity does it: windows of 512 tokens one behind the other, the second half scored.
Without --file the text is this repository's own documentation and sources, cut after 20,000 tokens. transformers computes
in float on weights that `gguf` expands; llama.cpp reads the file as it is, and rounds activations to 8 bits. By hand: it
needs a build of llama.cpp and PyTorch.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import llama_cpp

ROOT = Path(__file__).resolve().parent.parent
WINDOW = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    llama_cpp.add_arguments(parser)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--tokens", type=int, default=20_000)
    parser.add_argument("--tinygpt", type=Path, default=Path(".build/release/tinygpt"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text(cut(options, options.file.read_text() if options.file else own_text()))
        tokens = tinygpt(options, "tokenize", text)["tokens"]
        print(f"{len(tokens)} tokens, {len(tokens) // WINDOW} windows of {WINDOW}")
        figures = {precision: tinygpt(options, "perplexity", text, "--convention", "llama.cpp", "--window", WINDOW,
                                      "--precision", precision)["perplexity"] for precision in ["exact", "fast"]}
    figures["transformers"] = perplexity(tokens, transformers_losses(options))
    figures["llama.cpp"] = perplexity(tokens, llama_cpp_losses(options))
    for name, figure in figures.items():
        print(f"{name:13} {figure:9.4f}   {100 * (figure / figures['transformers'] - 1):+.3f} % of transformers, "
              f"{100 * (figure / figures['llama.cpp'] - 1):+.3f} % of llama.cpp")


def own_text() -> str:
    """English and code, and whatever else stands in it."""
    files = sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("Sources/TinyGPT/TinyGPT.docc/*.md")) \
        + sorted(ROOT.glob("Sources/TinyModels/Families/*.swift"))
    return "\n".join(file.read_text() for file in files)


def cut(options, text: str) -> str:
    """About as many tokens as wanted, in whole characters."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        count = len(tinygpt(options, "tokenize", Path(file.name))["tokens"])
    return text[: int(len(text) * min(1, options.tokens / count))]


def perplexity(tokens: list, losses) -> float:
    """`losses` gives -ln p of each token of a window but its first."""
    scored = []
    for start in range(0, len(tokens) - WINDOW + 1, WINDOW):
        scored += losses(tokens[start:start + WINDOW])[WINDOW // 2:]
    return math.exp(sum(scored) / len(scored))


def transformers_losses(options):
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(options.threads)
    model = AutoModelForCausalLM.from_pretrained(
        options.model.resolve().parent, gguf_file=options.model.name, dtype=torch.float32)

    def losses(window: list) -> list:
        with torch.inference_mode():
            logits = model(torch.tensor([window])).logits[0, :-1].double()
        return torch.nn.functional.cross_entropy(logits, torch.tensor(window[1:]), reduction="none").tolist()

    return losses


def llama_cpp_losses(options):
    import numpy

    other = llama_cpp.LlamaCpp(options, options.model, WINDOW)

    def losses(window: list) -> list:
        other.read(window, all_logits=True)
        rows = numpy.array([other.logits(row)[: other.width] for row in range(WINDOW - 1)], dtype=numpy.float64)
        top = rows.max(axis=1)
        total = numpy.log(numpy.exp(rows - top[:, None]).sum(axis=1)) + top
        return list(total - rows[numpy.arange(WINDOW - 1), window[1:]])

    return losses


def tinygpt(options, command: str, text: Path, *arguments) -> dict:
    common = [options.tinygpt, command, "--json", "--model", options.model, "--threads", options.threads, "--file", text]
    result = subprocess.run([str(part) for part in [*common, *arguments]], stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"tinygpt {command} ended with status {result.returncode}; its message is above")
    return json.loads(result.stdout)


if __name__ == "__main__":
    main()
