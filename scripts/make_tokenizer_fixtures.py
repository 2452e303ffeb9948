#!/usr/bin/env python3
"""Makes Tests/TinyTokenizerTests/Fixtures: small byte-level tokenizers, and texts with the ids they must give.

    pip install tokenizers==0.23.3
    scripts/make_tokenizer_fixtures.py

Each `NAME.json` holds a `tokenizer.json` trained here on the standard library's sources and generated text, and cases of
`[text, ids as plain text, ids with special tokens parsed]`, made by the Python package `tokenizers`. Seeded: a run with the
same Python gives the same files.
"""
import json
import random
import sys
import unicodedata
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

sys.path.insert(0, str(Path(__file__).resolve().parent))
from check_tokenizer import MODERN, mixed_text  # noqa: E402

PINNED, SEED, PIECES = "0.23.3", 7, 500
FOLDER = Path(__file__).resolve().parent.parent / "Tests/TinyTokenizerTests/Fixtures"

NASTY = [
    "", " ", "  ", "\n", "\r\n", " \n ", "\t\n\n x", "a  b", "a   ", "   a", " \u00a0x", "\u3000\u3000word", "x\u0085y\u2028z",
    "it's IT'S it'\u017f '\u017fong 'LL 'll 'lL 'Ve 're' 's' ''s", "don't'd'", "'", "''", "1234567 12 1", "x1y22z333",
    "\u0661\u0662\u0663\u0664 \u00b2\u00bd\u2167 \u4e00\u4e8c", "\U00011de0\U00016ff4 1", "a,b;\n\n\nc", "!!!\r\n\r\n!", "...\n \n...",
    "e\u0301\u0323 \u00e9\u0323 \u1e69 s\u0323\u0307 \u0344 \u212b", "\u1100\u1161\u11a8 \uac00\u11a8 \u1112\u1161\u11ab", "q\u0307\u0323",
    "\u2126 \uf900 \u0958 \u2adc", "a\u0300\u0316\u0301\u0327\u0345", "\u0000\u0001\u007f\ufeff\ufffd\uffff", "\U0010ffff\U000e0001",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f4\U000e0067\U000e007f \u2764\ufe0f", "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002hello\u4e16\u754c",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0928\u092e\u0938\u094d\u0924\u0947 \u0645\u0631\u062d\u0628\u0627", "=" * 100, " " * 70 + "x", "a" * 130, "ab" * 60,
    "<s>", "</s>", "a <s> b", "x  <keep>  y", "<keep><keep>", "pre<word>fix <word> <word>.", "<s><keep></s>", "<", "<ke", "<s", "<s<s>",
    " <s> \n<keep>\n ", "caf\u00e9! cafe\u0301!", "long<longer>", "<longer><long", "\u0301<s>\u0301", "<s>1<s>a<s> ",
]

ADDED = [
    AddedToken("<s>", special=True, normalized=False), AddedToken("</s>", special=True, normalized=False, rstrip=True),
    AddedToken("<keep>", lstrip=True, rstrip=True, normalized=False), AddedToken("<word>", single_word=True),
    AddedToken("caf\u00e9!", normalized=True), AddedToken("<long", normalized=False), AddedToken("<longer>", normalized=False),
]


def build(name):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "groups-of-three"))
    plain = pre_tokenizers.ByteLevel(add_prefix_space=name == "classic-prefix", use_regex=True)
    if name.startswith("classic"):
        tokenizer.pre_tokenizer = plain
    elif name == "digits":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), plain])
    else:
        pattern = MODERN % ("{1,3}" if name == "groups-of-three" else "")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    if name == "composed":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    training = mixed_text(400_000, [], SEED)[:300_000]
    tokenizer.train_from_iterator(
        [training], trainers.BpeTrainer(vocab_size=PIECES, show_progress=False,
                                        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_special_tokens([t for t in ADDED if t.special])
    tokenizer.add_tokens([t for t in ADDED if not t.special])
    if name == "groups-of-three":
        tokenizer.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B",
                                          special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])])
    else:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if name == "groups-of-three":
        # With ignore_merges, a piece that no merge leads to is still found as a whole word.
        data = json.loads(tokenizer.to_str())
        data["model"]["merges"] = [m for m in data["model"]["merges"] if "".join(m) not in ("self", "\u0120the")]
        tokenizer = Tokenizer.from_str(json.dumps(data))
    return tokenizer


def main():
    if tokenizers.__version__ != PINNED:
        sys.exit(f"needs tokenizers {PINNED}, found {tokenizers.__version__}")
    source = random.Random(SEED)
    scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    low = [c for c in range(0x3000) if unicodedata.category(chr(c)) not in ("Cn", "Cc")]
    texts = NASTY + ["".join(map(chr, source.choices(scalars, k=40))) for _ in range(4)]
    texts += ["".join(map(chr, source.choices(low, k=60))) for _ in range(6)]
    mixed = mixed_text(20_000, [t.content for t in ADDED], SEED + 1)
    texts += [mixed[i:i + 400] for i in range(0, 2800, 400)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ["classic", "classic-prefix", "groups-of-three", "composed", "digits"]:
        tokenizer = build(name)
        cases = []
        for text in texts:
            tokenizer.encode_special_tokens = True
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            tokenizer.encode_special_tokens = False
            cases.append([text, plain, tokenizer.encode(text, add_special_tokens=False).ids])
        data = json.loads(tokenizer.to_str())
        if name == "classic":   # the older way to write merges
            data["model"]["merges"] = [" ".join(merge) for merge in data["model"]["merges"]]
        tokenizer.encode_special_tokens = True
        about = f"tokenizers {PINNED}, seed {SEED}, {PIECES} pieces; made by scripts/make_tokenizer_fixtures.py"
        path = FOLDER / f"{name}.json"
        path.write_text(json.dumps({"about": about, "prompt": tokenizer.encode("Hello").ids, "cases": cases,
                                    "tokenizer": data}, separators=(",", ":")) + "\n")
        print(f"{path}: {path.stat().st_size} bytes, {len(cases)} cases")


if __name__ == "__main__":
    main()
