#!/usr/bin/env python3
"""Writes the seeds that fuzzing starts from, small valid files of every kind, in Fuzzing/Corpus, and the words that it
puts into them, in Fuzzing/Dictionaries.

    scripts/make_fuzz_corpus.py

Only Python. Seeds have the name of what they show; whatever else is in the folders was found by fuzzing and stays.
"""

import base64
import json
import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "Fuzzing" / "Corpus"
TEXT = "\0 Hello, wörld's 12 <s>ab"


def write(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(content.encode() if isinstance(content, str) else content)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# JSON and tokenizer.json

def json_seeds():
    for name, text in {
        "kinds": '{"a":[1,-2.5e3,true,false,null,"\\u00e9\\ud83d\\ude00\\n"],"b":{}}', "mark": "\ufeff[]",
        "deep": "[" * 20 + "]" * 20, "numbers": "[9223372036854775807,-9223372036854775808,1e308,0.1,-0]",
        "half": '"\\ud83dx"',
    }.items():
        write("json", name, text)


def alphabet():
    """The byte-level alphabet's spelling of each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def tokenizer_json(model, added=(), **parts):
    tokens = [{"id": i, "content": text, "single_word": False, "lstrip": text == "<k>", "rstrip": False,
               "normalized": text == "<k>", "special": text != "<k>"} for i, text in added]
    root = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, "normalizer": None,
            "pre_tokenizer": None, "post_processor": None, "decoder": {"type": "Fuse"}, **parts}
    return compact({**root, "model": model}) + TEXT


def bpe(vocabulary, merges=(), **more):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {text: i for i, text in enumerate(vocabulary)}, "merges": list(merges), **more}


def shrunk(tokenizer, character_map):
    """A fixture's tokenizer with as few pieces as it works with: what is special, bytes, and the first few others."""
    model, steps = tokenizer["model"], tokenizer["normalizer"] or {}
    vocabulary = model["vocab"]
    texts = [piece[0] for piece in vocabulary] if isinstance(vocabulary, list) else sorted(vocabulary, key=vocabulary.get)
    special = {token["content"] for token in tokenizer["added_tokens"]} | {model.get("unk_token"), "<unk>"}
    end = model["end_of_word_suffix"] or "" if "end_of_word_suffix" in model else ""
    letters = set(alphabet().values()) if "ByteLevel" in compact(tokenizer["pre_tokenizer"]) else set("▁abehlow,1")
    base = {text for text in texts if text in special or text.startswith("<0x") or text.removesuffix(end) in letters}
    if model.get("unk_id"):
        base.add(texts[model["unk_id"]])
    more = [text for text in texts if text not in base][:8]
    kept = [text for text in texts if text in base or text in more]
    place = {text: i for i, text in enumerate(kept)}
    if isinstance(vocabulary, list):
        scores = dict(map(tuple, vocabulary))
        model = {**model, "vocab": [[text, round(scores[text], 2)] for text in kept], "unk_id": place[texts[model["unk_id"]]]}
    else:
        model = {**model, "vocab": place}
    if "merges" in model:
        pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]]
        pairs = [(a, b) for a, b in pairs if a in place and b in place and a + b in place]
        model["merges"] = [[a, b] for a, b in pairs] if len(pairs) % 2 else [f"{a} {b}" for a, b in pairs]
    added = [{**token, "id": place.get(token["content"], len(kept) + i)} for i, token in enumerate(tokenizer["added_tokens"])]
    ids = {token["content"]: token["id"] for token in added}
    post = json.loads(compact(tokenizer.get("post_processor")))
    for post_step in [post, *post.get("processors", [])] if isinstance(post, dict) else []:
        for text, entry in (post_step.get("special_tokens") or {}).items():
            entry["ids"] = [ids.get(text, place.get(text, 0))]
        for key in ("sep", "cls"):
            if key in post_step:
                post_step[key][1] = ids.get(post_step[key][0], place.get(post_step[key][0], 0))
    for step in [steps, *steps.get("normalizers", [])]:
        if step.get("type") == "Precompiled":
            step["precompiled_charsmap"] = base64.b64encode(character_map).decode()
    return {**tokenizer, "model": model, "added_tokens": added, "post_processor": post}


def tokenizer_json_seeds(character_map):
    for path in sorted((ROOT / "Tests/TinyTokenizerTests/Fixtures").glob("*.json")):
        fixture = json.loads(path.read_text())
        if "tokenizer" in fixture:
            write("tokenizer-json", path.stem, compact(shrunk(fixture["tokenizer"], character_map)) + TEXT)
    small = bpe(["a", "b", "ab", "▁", "l", "lo", "o", "#"], ["a b", "l o"], unk_token="#", fuse_unk=True)
    for name in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"]:
        write("tokenizer-json", f"normalizer-{name}", tokenizer_json(small, [(8, "<s>"), (9, "<k>")], normalizer={"type": name}))
    write("tokenizer-json", "normalizer-Strip", tokenizer_json(
        small, normalizer={"type": "Strip", "strip_left": True, "strip_right": True}))
    for name, step in {
        "Digits": {"type": "Digits", "individual_digits": False}, "Whitespace": {"type": "Whitespace"},
        "Punctuation": {"type": "Punctuation", "behavior": "Contiguous"}, "WhitespaceSplit": {"type": "WhitespaceSplit"},
        "Split": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithNext", "invert": False},
        "Metaspace": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
    }.items():
        write("tokenizer-json", f"cut-{name}", tokenizer_json(
            small, [(8, "<s>")], pre_tokenizer=step, decoder={"type": "BPEDecoder", "suffix": "o"},
            post_processor={"type": "RobertaProcessing", "sep": ["<s>", 8], "cls": ["#", 7], "trim_offsets": True,
                            "add_prefix_space": True}))


# Protocol buffers, ranks

def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def sentencepiece(pieces, trainer, normalizer=b""):
    listed = b"".join(
        field(1, field(1, text.encode()) + field(2, float(score)) + (field(3, kind) if kind != 1 else b""))
        for text, score, kind in pieces)
    return listed + field(2, trainer) + field(3, normalizer)


def fields(message):
    """(number, bytes) of the fields that hold bytes."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 2:
            size = number()
            at += size
            yield key >> 3, message[at - size:at]
        elif key & 7 == 0:
            number()
        else:
            at += {1: 8, 5: 4}[key & 7]


def character_map():
    """The compiled character map of a fixture's model, which is small."""
    model = (ROOT / "Tests/TinyTokenizerTests/Fixtures/unigrams-mapped.model").read_bytes()
    normalizer = dict(fields(model))[3]
    return dict(fields(normalizer))[2]


def sentencepiece_seeds(character_map):
    special = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)]
    letters = [(letter, -i - 1, 1) for i, letter in enumerate("▁abelo,1")]
    joined = [("▁a", -0.5, 1), ("ab", -0.75, 1), ("lo", -2, 1), ("<k>", 0, 4), ("zz", 0, 5)]
    fallback = [(f"<0x{i:02X}>", 0, 6) for i in range(256)]
    identity = field(3, 1) + field(4, 1) + field(5, 1)
    mapped = field(2, character_map) + identity
    pieces = special + letters + joined
    write("sentencepiece", "unigram", sentencepiece(pieces, field(3, 1), identity))
    write("sentencepiece", "bpe", sentencepiece(pieces, field(3, 2), identity))
    write("sentencepiece", "bytes", sentencepiece(special + fallback + letters + joined, field(3, 2) + field(35, 1), identity))
    write("sentencepiece", "unigram-bytes", sentencepiece(special + fallback + letters, field(3, 1) + field(35, 1), identity))
    write("sentencepiece", "mapped", sentencepiece(pieces, field(3, 1), mapped))
    write("sentencepiece", "plain", sentencepiece(
        pieces, field(3, 1) + field(46, b"<s>") + field(47, b"</s>"), field(3, 0) + field(4, 0) + field(5, 0)))


def rank_seeds():
    pieces = [bytes([byte]) for byte in range(256)] + [b"ab", b" a", b"llo", b" wor", "世".encode()]
    lines = [f"{base64.b64encode(piece).decode()} {rank}" for rank, piece in enumerate(pieces)]
    for i, name in enumerate(["first", "second", "third", "fourth"]):
        write("ranks", name, "\n".join(lines) + "\n" + TEXT + "." * i)
    write("ranks", "few", "IQ== 0\nYQ== 1\r\nYWI= 2\n" + TEXT)
    write("ranks", "repeated", "\r\n".join([lines[0], *(f"{line.split()[0]} {i + 1}" for i, line in enumerate(lines))]) + TEXT)


# Templates

def template_seeds():
    cases = json.loads((ROOT / "Tests/TinyTemplateTests/Fixtures/snippets.json").read_text())["cases"]
    # Many at a time: what follows an error is never reached, so those that raise stand alone and only a few of them.
    good = [case[0] for case in cases if case[1] is not None and "raise_exception" not in case[0] and "9223372036854775807" not in case[0]]
    bad = [case[0] for case in cases if case[1] is None]
    for i in range(0, len(good), 8):
        write("template", f"good-{i // 8:02}", "\n".join(good[i:i + 8]))
    for i, source in enumerate(bad[::8]):
        write("template", f"bad-{i:02}", source)
    write("template", "chat",
          "{% if tools %}{% for t in tools %}{{ t | tojson(indent=2) }}{% endfor %}{% endif %}"
          "{%- for message in messages -%}{{ '<|im_start|>' + message['role'] + '\\n' + (message.content | string | trim) "
          "+ '<|im_end|>' }}{% if loop.last and add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
          "{% endfor %}{% set ns = namespace(x=1) %}{% set ns.x = ns.x + 1 %}"
          "{% macro f(a, b=2) %}{{ a ~ b }}{% endmacro %}{{ f(ns.x) }}{{ strftime_now('%d %b %Y') }}")


# GGUF, safetensors, configurations

def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def metadata(key, value):
    kinds = {bool: (7, "<B"), int: (4, "<I"), float: (6, "<f")}
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, list):
        if isinstance(value[0], str):
            return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
        kind, form = (5, "<i") if isinstance(value[0], int) else (6, "<f")
        return text(key) + struct.pack("<IIQ", 9, kind, len(value)) + b"".join(struct.pack(form, x) for x in value)
    kind, form = kinds[type(value)]
    return text(key) + struct.pack("<I", kind) + struct.pack(form, value)


def gguf(values, tensors=()):
    table, data = b"", b""
    for name, shape, kind, size in tensors:
        data += b"\0" * (-len(data) % 32)
        table += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        table += struct.pack("<IQ", kind, len(data))
        data += b"\1" * size
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(metadata(key, value) for key, value in values.items()) + table
    return head + b"\0" * (-len(head) % 32) + data


def gguf_seeds():
    model = {
        "general.architecture": "llama", "general.alignment": 32, "llama.block_count": 1, "llama.context_length": 64,
        "llama.embedding_length": 4, "llama.feed_forward_length": 8, "llama.attention.head_count": 2,
        "llama.attention.head_count_kv": 1, "llama.attention.layer_norm_rms_epsilon": 1e-5, "llama.rope.freq_base": 1e4,
        "llama.rope.dimension_count": 2, "llama.vocab_size": 3}
    pieces = ["<unk>", "<s>", "</s>", "▁", "a", "b", "▁a"]
    vocabulary = {"tokenizer.ggml.tokens": pieces, "tokenizer.ggml.token_type": [2, 3, 3, 1, 1, 1, 1],
                  "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2}
    scores = {"tokenizer.ggml.scores": [0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -4.0]}
    tensors = [("token_embd.weight", [4, 3], 0, 48), ("output_norm.weight", [4], 0, 16),
               ("blk.0.attn_q.weight", [4, 4], 1, 32), ("blk.0.ffn_up.weight", [32, 2], 2, 36)]
    write("gguf", "model", gguf({**model, "tokenizer.ggml.model": "llama", **vocabulary, **scores}, tensors))
    write("gguf", "unigram", gguf({"tokenizer.ggml.model": "t5", **vocabulary, **scores}))
    write("gguf", "pairs", gguf({
        "general.architecture": "gpt2", "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.merges": ["a b", "Ġ a"],
        "tokenizer.ggml.tokens": [*alphabet().values(), "ab", "Ġa", "<|endoftext|>"], "tokenizer.ggml.eos_token_id": 258}))
    write("gguf", "words", gguf({
        "tokenizer.ggml.model": "bert", "tokenizer.ggml.tokens": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁a", "b", "▁ab"],
        "tokenizer.ggml.token_type": [3, 3, 3, 3, 1, 1, 1], "tokenizer.ggml.add_bos_token": True}))
    for kind, (width, size) in {8: (32, 34), 12: (256, 144), 14: (256, 210), 30: (4, 8), 39: (32, 17)}.items():
        write("gguf", f"type-{kind}", gguf({"general.architecture": "qwen2"}, [("t", [width, 1], kind, size)]))


def safetensors(header, size):
    head = header if isinstance(header, str) else compact(header)
    return struct.pack("<Q", len(head.encode())) + head.encode() + b"\1" * size


def safetensors_seeds():
    entry = lambda kind, shape, begin, end: {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}
    write("safetensors", "two", safetensors(
        {"__metadata__": {"format": "pt"}, "a.weight": entry("F32", [2, 3], 0, 24), "b": entry("BF16", [4], 24, 32)}, 32))
    write("safetensors", "kinds", safetensors(
        {kind: entry(kind, [1], i * 8, i * 8 + 8) for i, kind in enumerate(["I64", "U64", "F64", "C64"])}, 32))
    write("safetensors", "empty", safetensors({"t": entry("F16", [0, 7], 0, 0)}, 0))
    write("safetensors", "spaces", safetensors('{"t":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   ', 4))


def config_seeds():
    """The fixtures' configurations, which are small: one for each model_type and set of keys."""
    seen = set()
    for path in sorted((ROOT / "Tests/Fixtures").glob("*/config.json")):
        config = json.loads(path.read_text())
        kinds = (config.get("model_type"), *sorted(key for key in config if "scaling" in key or "rope" in key))
        for key in ["transformers_version", "dtype", "_name_or_path", "id2label", "label2id", "torch_dtype"]:
            config.pop(key, None)
        if kinds not in seen and len(compact(config)) < 4000:
            seen.add(kinds)
            write("config", path.parent.name, compact(config))


# Dictionaries

def dictionary(target, words):
    """In libFuzzer's format: a string a line."""
    folder = CORPUS.parent / "Dictionaries"
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for word in sorted({word.encode() if isinstance(word, str) else word for word in words}):
        plain = "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word)
        lines.append(f'"{plain}"\n')
    (folder / target).write_text("".join(lines))


def strings(value):
    """Keys, and short strings, as a JSON file has them."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield compact(key) + ":"
            if not isinstance(item, int) or isinstance(item, bool):
                yield from strings(item)
    elif isinstance(value, list):
        for item in value[:20]:
            yield from strings(item)
    elif isinstance(value, str) and len(value) < 30:
        yield compact(value)
    elif value is None or isinstance(value, bool):
        yield compact(value)


def dictionaries():
    numbers = ["-1", "0", "1e308", "9223372036854775807", "-9223372036854775808", "2147483647", "4294967296", "0.5"]
    marks = ['{"', '"}', "[]", "{}", ",", ":", "\\u0000", "\\ud83d", '""']
    dictionary("json", numbers + marks)
    words = set()
    for path in (CORPUS / "tokenizer-json").glob("seed-*"):
        root = json.loads(path.read_bytes().split(b"\0")[0])
        root["model"].update(vocab={}, merges=[])
        words |= set(strings(root))
    dictionary("tokenizer-json", {*words, *numbers, *marks, "\0", "▁", "Ġ"})
    words = set()
    for path in [*(ROOT / "Tests/Fixtures/published").glob("*.json"), *(ROOT / "Tests/Fixtures").glob("*/config.json")]:
        words |= set(strings(json.loads(path.read_text())))
    dictionary("config", {*words, *numbers, *marks})
    cases = json.loads((ROOT / "Tests/TinyTemplateTests/Fixtures/snippets.json").read_text())["cases"]
    found = {word for case in cases for word in re.findall(r"[A-Za-z_]{2,}|[^\w\s]{1,2}", case[0]) if word.isascii()}
    dictionary("template", {*found, "{%", "%}", "{{", "}}", "{%-", "-%}", "{#", "#}", *numbers})
    keys = {word for path in (CORPUS / "gguf").glob("seed-*")
            for word in re.findall(rb"(?:tokenizer|general|llama)\.[a-z_.0-9]+", path.read_bytes())}
    limits = [struct.pack("<Q", value) for value in [1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]]
    dictionary("gguf", {*keys, *limits, b"gpt2", b"llama", b"bert", b"t5", *(struct.pack("<I", i) for i in range(13))})
    dictionary("safetensors", {*limits, *numbers, *marks, '"dtype":', '"shape":', '"data_offsets":', '"__metadata__":',
                               *(f'"{kind}"' for kind in ["F32", "F16", "BF16", "I64", "U8", "F4", "F8_E4M3"])})
    dictionary("sentencepiece", {b"\x0a", b"\x12", b"\x1a", b"\x18\x06", b"\x18\x02", b"<0x0A>", "▁", *limits,
                                 struct.pack("<f", float("nan")), struct.pack("<f", float("inf"))})
    dictionary("ranks", {"IQ== ", "YWI= ", "\n", "\r\n", "\0", *numbers})


json_seeds()
tokenizer_json_seeds(character_map())
sentencepiece_seeds(character_map())
rank_seeds()
template_seeds()
gguf_seeds()
safetensors_seeds()
config_seeds()
dictionaries()
