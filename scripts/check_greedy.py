#!/usr/bin/env python3
"""Compares greedy text with llama.cpp's: twelve prompts, 32 tokens each, the same file in both.

    python scripts/check_greedy.py --llama-cpp LIBRARY --package DIR MODEL.gguf [MODEL.gguf...]

Prompts are cut by each engine itself, and the number of tokens has to be equal. Both engines round in their own way, so
two nearly equal candidates may change places. Where a text parts, it is read again up to there, by ours with float
activations too, and the candidates' logits are shown. It fails if the gap there, with float activations, is more than
--near. By hand: it needs a build of llama.cpp.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import llama_cpp

PROMPTS = [
    "Once upon a time,",
    "The capital of France is",
    "def fibonacci(n):\n    ",
    "Dear Sir or Madam,\n\nI am writing to",
    "从前有一座山，山里有一座庙，",
    "中国的首都是",
    "今天天气很好，我们决定",
    "水的化学式是 H2O，它由",
    "Q: What is 17 + 25?\nA:",
    "import json\nimport sys\n\ndef main():\n",
    "La révolution française a commencé en",
    "The three laws of thermodynamics state that",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path)
    llama_cpp.add_arguments(parser)
    parser.add_argument("--tinygpt", type=Path, default=Path(".build/release/tinygpt"))
    parser.add_argument("--tokens", type=int, default=32)
    # llama.cpp rounds activations to 8 bits, which moves the logits of these models by some tenths.
    parser.add_argument("--near", type=float, default=0.5, help="largest gap of two logits at a parting")
    options = parser.parse_args()
    sys.exit(0 if all([compare(path, options) for path in options.models]) else 1)


def compare(path: Path, options) -> bool:
    other = llama_cpp.LlamaCpp(options, path, 512)
    equal = partings = bad = 0
    for prompt in PROMPTS:
        ours = tinygpt(options, path, "generate", "--temperature", 0, "--max-tokens", options.tokens, prompt)
        ids = other.tokens(prompt)
        if ours["prompt_tokens"] != len(ids):
            print(f"{path.name}: {prompt!r} has {ours['prompt_tokens']} tokens here and {len(ids)} there")
            bad += 1
            continue
        here, there = ours["tokens"], greedy(other, ids, options.tokens)
        if here == there:
            equal += 1
            continue
        partings += 1
        at = next((i for i, (a, b) in enumerate(zip(here, there)) if a != b), min(len(here), len(there)))
        print(f"{path.name}: {prompt!r} parts at token {at}: {here[at:at + 1]} here, {there[at:at + 1]} there")
        if not is_near_tie(path, options, other, ids, there[:at], here[at:at + 1] + there[at:at + 1]):
            print("    that is no near-tie")
            bad += 1
    print(f"{path.name}: {equal} of {len(PROMPTS)} texts of {options.tokens} tokens are equal, {partings} part")
    return bad == 0


def greedy(other, prompt: list, count: int) -> list:
    tokens, read = list(prompt), 0
    for _ in range(count):
        other.read(tokens, read)
        logits, read = other.logits()[: other.width], len(tokens)
        token = max(range(other.width), key=logits.__getitem__)
        if other.is_end(token):
            break
        tokens.append(token)
    return tokens[len(prompt):]


def is_near_tie(path: Path, options, other, prompt: list, behind: list, parted: list) -> bool:
    other.read(prompt + behind)
    logits = other.logits()[: other.width]
    top = sorted(range(other.width), key=logits.__getitem__, reverse=True)[:3]
    print("    llama.cpp " + "  ".join(f"{token} {logits[token]:.4f}" for token in top))
    text = tinygpt(options, path, "tokenize", "--decode", *prompt[other.tokens("") != []:], *behind)["text"]
    if other.tokens(text) != prompt + behind:
        # A character is not complete yet, so that no text has these tokens: its own gap tells.
        return len(parted) == 2 and abs(logits[parted[0]] - logits[parted[1]]) <= options.near
    exact = {}
    for precision in ["fast", "exact"]:
        found = tinygpt(options, path, "next", "--precision", precision, "--top", 20, text)["candidates"]
        print(f"    {precision:9} " + "  ".join(f"{c['id']} {c['logit']:.4f} {c['piece']!r}" for c in found[:3]))
        exact = {c["id"]: c["logit"] for c in found}
    return len(parted) == 2 and all(t in exact for t in parted) \
        and abs(exact[parted[0]] - exact[parted[1]]) <= options.near


def tinygpt(options, path: Path, command: str, *arguments) -> dict:
    common = [options.tinygpt, command, "--json", "--model", path, "--threads", options.threads]
    result = subprocess.run([str(part) for part in [*common, *arguments]], stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"tinygpt {command} ended with status {result.returncode}; its message is above")
    return json.loads(result.stdout)


if __name__ == "__main__":
    main()
