#!/usr/bin/env python3
"""Compares `tinygpt tokenize` with the Python package `tokenizers`, and with llama.cpp's expected ids.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 protobuf gguf==0.19.0 numpy
    scripts/check_tokenizer.py --tinygpt .build/release/tinygpt --gguf model.gguf --gguf ggml-vocab-qwen2.gguf=qwen2

Every vocabulary there is, by hand, in some minutes (scripts/test compares a part of them):

    scripts/check_tokenizer.py --tinygpt .build/release/tinygpt --unigram --gguf weights/gemma-3-270m-q4_k_m.gguf \
        $(scripts/fetch_vocabularies --all | sed 's/^/--gguf /')

For each GGUF file the same vocabulary is given to `tokenizers`, with the pre-tokenizer that the file names (or that
stands behind `=`), and both tokenize a mixed text of more than a megabyte: code, Chinese, emoji, combining marks, runs
of white space, control characters, digits of many scripts, random scalars. Then `tokenizers` saves its own
`tokenizer.json`, and the command reads that. A vocabulary of SentencePiece goes to the package `sentencepiece` instead, as
a `tokenizer.model`, which the command reads too. Where `FILE.inp` and `FILE.out` lie beside a vocabulary (as in llama.cpp's
`models/`), its cases are run too. Ends with status 1 if anything differs, with the first difference shown. As many files
are worked on at a time as there are cores: reading vocabularies and making the text in Python takes most of the time.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import sentencepiece
from gguf import GGUFReader
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

MODERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
FAMILIES = {   # name in the file: what its tokenizer.json says
    "gpt-2": "classic", "llama-bpe": "three", "llama3": "three", "llama-v3": "three", "qwen2": "one",
    "smollm": "digits", "starcoder": "digits", "refact": "digits", "falcon": "punctuated",
    "mpt": "classic", "command-r": "digits", "qwen35": "marks", "deepseek-llm": "listed", "deepseek-coder": "listed",
}
COMPOSED = ("qwen2", "mpt", "command-r")
CASED = ("A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ"
         "-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃")


def pre_tokenizer(name):
    family = FAMILIES[name]
    if family == "punctuated":
        return pre_tokenizers.Sequence([
            pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
            pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])
    if family == "classic":
        return pre_tokenizers.ByteLevel(add_prefix_space=False)
    if family == "digits":
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    if family == "listed":
        listed = name == "deepseek-llm"
        patterns = [r"[\r\n]", rf"\s?[{CASED}]+" if listed else r"\s?\p{L}+",
                    r"\s?[!-/:-~！-／：-～‘-‟　-。]+" if listed else r"\s?\p{P}+", *([r"\s+$"] if listed else []),
                    "[一-龥ࠀ-一가-\ud7ff]+"]
        return pre_tokenizers.Sequence([
            *(pre_tokenizers.Split(Regex(p), "isolated") for p in patterns),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    pattern = MODERN % ("{1,3}" if family == "three" else "")
    if family == "marks":
        pattern = pattern.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]")
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


class SentencePiece:
    """A vocabulary of SentencePiece, read by its own package, with what the comparison asks of a tokenizer."""

    def __init__(self, read, tokens, types):
        from sentencepiece import sentencepiece_model_pb2 as proto
        model = proto.ModelProto()
        # Its reader takes one piece for the unknown, of which some files mark none and some many.
        unknown = types.index(2) if 2 in types else read("unknown_token_id")
        types = [2 if id == unknown else 3 if kind == 2 else kind for id, kind in enumerate(types)]
        for text, score, kind in zip(tokens, read("scores"), types):
            # Converters write the user's pieces with spaces, where the model's own file has marks.
            if kind == 4:
                text = text.replace(" ", "\u2581")
            model.pieces.add(piece=text, score=score, type=kind)
        model.trainer_spec.model_type = {"llama": 2, "t5": 1}[read("model")]
        model.trainer_spec.byte_fallback = 6 in types
        # It wants to know which that is, and takes the rest as it comes.
        model.trainer_spec.unk_id = unknown
        model.trainer_spec.unk_piece = tokens[unknown]
        model.normalizer_spec.name = "identity"
        model.normalizer_spec.precompiled_charsmap = bytes(
            byte & 255 for byte in read("precompiled_charsmap", []))
        model.normalizer_spec.add_dummy_prefix = read("add_space_prefix", True)
        model.normalizer_spec.remove_extra_whitespaces = read("remove_extra_whitespaces", False)
        model.normalizer_spec.escape_whitespaces = True
        self.bytes = model.SerializeToString()
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=self.bytes)

    def ids(self, text):
        return self.processor.encode(text)

    def save(self, folder):
        (Path(folder) / "tokenizer.model").write_bytes(self.bytes)

    def decode(self, ids):
        return self.processor.decode(ids)

    def marks(self):
        return []


class HuggingFace:
    """A tokenizer of the package `tokenizers`, with what the comparison asks of one."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.decode = lambda ids: tokenizer.decode(ids, skip_special_tokens=False)

    def ids(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def save(self, folder):
        self.tokenizer.save(str(Path(folder) / "tokenizer.json"))

    def marks(self):
        return [t.content for t in self.tokenizer.get_added_tokens_decoder().values()]


def word_pieces(tokens, types):
    """GGUF marks beginnings of words, and a `vocab.txt` what continues them."""
    from tokenizers import decoders
    texts = [t if kind == 3 or t[:1] == "[" and t[-1:] == "]" and len(t) > 2 else t[1:] if t[:1] == "\u2581" else "##" + t
             for t, kind in zip(tokens, types)]
    tokenizer = Tokenizer(models.WordPiece({t: id for id, t in enumerate(texts)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]")])
    tokenizer.encode_special_tokens = True
    return HuggingFace(tokenizer)


def marked_pairs(tokens, types, merges):
    """Merges over a whole text, in which spaces are marks and bytes stand in for what has no piece."""
    from tokenizers import decoders
    tokenizer = Tokenizer(models.BPE({t: id for id, t in enumerate(tokens)}, merges, byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    add_marks(tokenizer, tokens, types)
    return HuggingFace(tokenizer)


def add_marks(tokenizer, tokens, types):
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True)
                                  for t, kind in zip(tokens, types) if kind in (2, 3)])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t, kind in zip(tokens, types) if kind == 4])
    tokenizer.encode_special_tokens = True


def reference(path, name):
    """The tokenizer of a GGUF file, made by another's package; and the name of the pre-tokenizer or the model."""
    from tokenizers import decoders
    fields = GGUFReader(path).fields
    missing = object()

    def read(key, default=missing):
        field = fields.get("tokenizer.ggml." + key)
        return default if field is None and default is not missing else field.contents()
    tokens, types = read("tokens"), read("token_type")
    if read("model") in ("llama", "t5"):
        return SentencePiece(read, tokens, types), read("model")
    if read("model") == "bert":
        return word_pieces(tokens, types), "bert"
    merges = [tuple(merge.split(" ")) for merge in read("merges")]
    if read("model") == "gemma4":
        return marked_pairs(tokens, types, merges), "gemma4"
    # Files from before pre-tokenizers were named; that of the oldest is the one they mean.
    name = name or read("pre", "gpt-2")
    tokenizer = Tokenizer(models.BPE({text: id for id, text in enumerate(tokens)}, merges,
                                     ignore_merges=FAMILIES[name] == "three"))
    tokenizer.pre_tokenizer = pre_tokenizer(name)
    tokenizer.decoder = decoders.ByteLevel()
    if name in COMPOSED:
        tokenizer.normalizer = normalizers.NFC()
    add_marks(tokenizer, tokens, types)
    return HuggingFace(tokenizer), name


# MARK: The text

def characters(test):
    return [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and test(chr(c))]


def mixed_text(size, marks, seed):
    """About `size` bytes of parts that differ in kind, in random order and often without a space between."""
    source = random.Random(seed)
    category = {}
    for c in characters(lambda c: True):
        category.setdefault(unicodedata.category(c), []).append(c)
    letters = [c for name in ("Lu", "Ll", "Lt", "Lm", "Lo") for c in category[name]]
    combining = [c for name in ("Mn", "Mc", "Me") for c in category[name]]
    numbers = [c for name in ("Nd", "Nl", "No") for c in category[name]]
    spaces = characters(str.isspace)
    controls = category["Cc"] + category["Cf"]
    symbols = [c for name in ("So", "Sm", "Sc", "Sk", "Po", "Ps", "Pe", "Pd") for c in category[name]]
    composed = characters(lambda c: unicodedata.normalize("NFD", c) != c)
    chinese = [chr(c) for c in range(0x4E00, 0x9FA6)]
    emoji = [chr(c) for c in [*range(0x1F300, 0x1F650), *range(0x1F680, 0x1F6FD), *range(0x1F900, 0x1FA00)]]
    library = Path(sysconfig.get_paths()["stdlib"])
    code = [path.read_text("utf-8", "replace") for path in sorted(library.glob("*.py"))[:120]]
    contractions = ["'" + a + b for a in "sStTrRvVmMlLdDxkK\u017f\u212a\ufb06" for b in ["", "e", "E", "l", "L", "\u017f", "a"]]

    def some(alphabet, low=1, high=8):
        return "".join(source.choices(alphabet, k=source.randint(low, high)))

    def excerpt():
        text = source.choice(code)
        start = source.randrange(len(text))
        return text[start:start + source.randint(20, 600)]

    def marked():
        return "".join(source.choice(letters + ["e", "a", "o"] * 400) + some(combining, 0, 4) for _ in range(6))

    parts = [
        (30, excerpt), (20, lambda: some(chinese, 1, 40)), (8, lambda: some(letters, 1, 20)), (8, marked),
        (8, lambda: some(emoji) + source.choice(["", "\u200d", "\ufe0f", "\U0001f3fd"]) + some(emoji, 0, 2)),
        (8, lambda: some("0123456789", 1, 12)), (6, lambda: some(numbers, 1, 6)),
        (10, lambda: source.choice([" ", "\n", "\t", "\r\n", "\u3000", "\u00a0"]) * source.randint(1, 40)),
        (8, lambda: some(spaces + ["\n", " ", "\r"] * 10, 1, 8)), (6, lambda: some(controls, 1, 6)),
        (8, lambda: some(symbols, 1, 6)), (8, lambda: some(composed, 1, 4)),
        (8, lambda: source.choice(["", "he", " it", "1", "\n"]) + source.choice(contractions)),
        (6, lambda: some([chr(c) for c in source.choices(range(0x80, 0xD800), k=6)])),
        (4, lambda: some([chr(c) for c in source.choices(range(0xE000, 0x110000), k=6)])),
        (4, lambda: source.choice(marks) if marks else ""), (6, lambda: unicodedata.normalize("NFD", some(composed, 1, 6))),
        (2, lambda: some("\u1100\u1105\u1161\u1169\u11a8\u11bd\uac00\uac01\ud558", 1, 8)),
        (2, lambda: source.choice("a =-_*x") * source.randint(1, 300)),
    ]
    weights = [weight for weight, _ in parts]
    text, length = [], 0
    while length < size:
        part = source.choices(parts, weights)[0][1]() + source.choice(["", "", " ", "\n"])
        text.append(part)
        length += len(part.encode())
    everything = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) not in ("Cn", "Co", "Lo")]
    return "".join(text) + "".join("x" + c + "1" + c for c in everything)


# MARK: Comparing

def tokenize(command, model, text):
    with tempfile.NamedTemporaryFile("wb", suffix=".txt") as file:
        file.write(text.encode())
        file.flush()
        result = subprocess.run([command, "tokenize", "--model", str(model), "--file", file.name, "--json"],
                                capture_output=True)
    if result.returncode:
        sys.exit(f"{model}: exit {result.returncode}: {result.stderr.decode(errors='replace')}")
    return json.loads(result.stdout)["tokens"]


def differ(label, ours, theirs, tokenizer):
    if ours == theirs:
        return False
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    show = lambda ids: [tokenizer.decode([id]) for id in ids[max(0, at - 6):at + 8]]
    print(f"{label}: differs at token {at} of {len(theirs)} (ours {len(ours)})\n"
          f"  ours   {ours[max(0, at - 6):at + 8]}\n         {show(ours)!r}\n"
          f"  theirs {theirs[max(0, at - 6):at + 8]}\n         {show(theirs)!r}")
    return True


def check(command, path, name, size, seed):
    tokenizer, name = reference(path, name)
    text = mixed_text(size, tokenizer.marks(), seed)
    expected = tokenizer.ids(text)
    label = f"{Path(path).name} ({name})"
    failed = differ(f"{label}: text", tokenize(command, path, text), expected, tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(folder)
        failed |= differ(f"{label}: from its own kind of file", tokenize(command, folder, text), expected, tokenizer)
    cases = 0
    if Path(f"{path}.inp").exists() and Path(f"{path}.out").exists():
        inputs = Path(f"{path}.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
        outputs = Path(f"{path}.out").read_text().splitlines()
        for case, line in zip(inputs, outputs):
            cases += 1
            expected_ids = [int(x) for x in line.split()]
            failed |= differ(f"{label}: case {case!r}", tokenize(command, path, case), expected_ids, tokenizer)
    print(f"{'FAILED' if failed else 'equal'}: {label}: {len(text.encode())} bytes, {len(expected)} tokens, "
          f"from GGUF and from its own kind of file; {cases} cases of llama.cpp", flush=True)
    return failed


def check_unigram(command, size, seed):
    """A unigram model that `sentencepiece` trains on such a text, with its map of NFKC, on another one."""
    import io
    training = mixed_text(300_000, [], seed + 1)
    lines = [training[start:start + 200] for start in range(0, len(training), 200)]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=26000, model_type="unigram", byte_fallback=True,
        hard_vocab_limit=False, character_coverage=0.98, num_threads=1, minloglevel=2)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    text = mixed_text(size, [], seed)
    expected = processor.encode(text)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tokenizer.model").write_bytes(model.getvalue())
        failed = differ("unigram: text", tokenize(command, folder, text), expected, processor)
    print(f"{'FAILED' if failed else 'equal'}: unigram, trained here: {len(text.encode())} bytes, {len(expected)} tokens",
          flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tinygpt", required=True, help="the command")
    parser.add_argument("--gguf", action="append", required=True, metavar="FILE[=PRE]",
                        help="a GGUF file; PRE if it names no pre-tokenizer")
    parser.add_argument("--bytes", type=int, default=1_500_000, help="size of the mixed text, about")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unigram", action="store_true", help="train a unigram model too, and compare it")
    options = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(check, options.tinygpt, path, name or None, options.bytes, options.seed)
                for path, _, name in (item.partition("=") for item in options.gguf)]
        if options.unigram:
            runs.append(pool.submit(check_unigram, options.tinygpt, options.bytes, options.seed))
        sys.exit(1 if any([run.result() for run in runs]) else 0)


if __name__ == "__main__":
    main()
