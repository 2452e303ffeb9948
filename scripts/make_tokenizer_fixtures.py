#!/usr/bin/env python3
"""Makes Tests/TinyTokenizerTests/Fixtures: small tokenizers of every kind, and the ids they must give.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 tiktoken==0.14.0
    scripts/make_tokenizer_fixtures.py

`texts.json` holds the texts. Each `NAME.json` holds a tokenizer trained here on the standard library's sources and generated
text, or names the file beside it (`NAME.model`, `NAME.tiktoken`), and what the Python packages `tokenizers`, `sentencepiece`
and `tiktoken` make of the texts: `[ids as plain text, ids with special tokens parsed]` of each, the second left out where
it is the first; and texts of random ids. `unicode.json` holds hashes of what normalizers and pre-tokenizers make of all
characters. Seeded: a run with the same Python gives the same files.
"""
import base64
import collections
import io
import json
import random
import sys
import unicodedata
from pathlib import Path

import sentencepiece
import tiktoken
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

sys.path.insert(0, str(Path(__file__).resolve().parent))
from check_tokenizer import MODERN, mixed_text  # noqa: E402

PINNED, SEED, PIECES = "tokenizers 0.23.3, sentencepiece 0.2.3, tiktoken 0.14.0", 7, 500
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
    " <s> \n<keep>\n ", "HTTPServer camelCase ABCdef XMLHttp'S don'T \u4e2dABC \u4e2dabc\u4e2d \u01c5a \u02b0A\u0301b", "path/to//file.\n/\r\n/x",
    "$foo _bar #Tag @user-name !go", "1\u0301 2a \u00b2\u00b3\u00bc 12345678", "\u65e5\u672c\u8a9e\u30ab\u30bf\u30ab\u30ca\u3072\u3089\u304c\u306a123\u6f22\u5b57abc", "\ufb01\u2460\uff21\u3000\u00a0\u00bd\u2122\u3392\ufdfa \u0130I\u0131 \u03a3\u03c3\u03c2 \u1e9e\u00df",
    "\u2581mark \u2581\u2581 x\u2581", "<0x41><0xE4>", "[CLS] [UNK] [MASK]", "unaffable Caf\u00e9s na\u00efve r\u00e9sum\u00e9", "``quoted'' text", "\u0600\u00ad\u200b\u2060z", "a.b,c!d?e\u2026f\u3002g\uff0ch\u3001i",
    "  two  spaces   three    ", "\t\ttabs\u2003em\u202f\u205f", "\U0001d400\U0001f1e9\U0001f1ea\U0001f44d\U0001f3fd \u0915\u094d\u0937\u093f", "x" * 120, "\u4e2d" * 60, "caf\u00e9! cafe\u0301!", "long<longer>", "<longer><long", "\u0301<s>\u0301", "<s>1<s>a<s> ",
]

ADDED = [
    AddedToken("<s>", special=True, normalized=False), AddedToken("</s>", special=True, normalized=False, rstrip=True),
    AddedToken("<keep>", lstrip=True, rstrip=True, normalized=False), AddedToken("<word>", single_word=True),
    AddedToken("caf\u00e9!", normalized=True), AddedToken("<long", normalized=False), AddedToken("<longer>", normalized=False),
]


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
CASELESS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
MARKED = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+""")
CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
CAPITAL, SMALL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def cased(behind, number):
    prefix = r"[^\r\n\p{L}\p{N}]?"
    return (f"{prefix}{CAPITAL}*{SMALL}+{behind}|{prefix}{CAPITAL}+{SMALL}*{behind}|{number}"
            r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def bytes_behind(*cuts, prefix=False, regex=False):
    return pre_tokenizers.Sequence([*cuts, pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)])


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


# What byte-level families cut at.
BYTE_LEVEL = {
    "classic": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "classic-prefix": pre_tokenizers.ByteLevel(add_prefix_space=True),
    "groups-of-three": bytes_behind(split(MODERN % "{1,3}")),
    "composed": bytes_behind(split(MODERN % "")),
    "digits": bytes_behind(pre_tokenizers.Digits(individual_digits=True), regex=True),
    "cased": bytes_behind(split(cased(CONTRACTION + "?", r"\p{N}{1,3}"), "removed", True)),
    "cased-alone": bytes_behind(split(cased("", r"\p{N}"))),
    "marks": bytes_behind(split(CONTRACTION + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
                                r"|\s*[\r\n]+|\s+(?!\S)|\s+")),
    "line-ends": bytes_behind(split(CONTRACTION + "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+"
                                    "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")),
    "marked": bytes_behind(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"),
                           split(MARKED + "[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")),
    "marked-lines": bytes_behind(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"),
                                 split(MARKED + r"|[\r\n]|\s+(?!\S)|\s+"), split(r"\p{N}")),
    "stops": bytes_behind(split(r" ?[^(\s|[.,!?…。，、।۔،])]+")),
    "punctuated": pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Digits(individual_digits=False), split("[0-9][0-9][0-9]")]),
    "caseless": bytes_behind(split(CASELESS, "removed", True)),
}
TRAINING = mixed_text(400_000, [], SEED)[:300_000]
# A small alphabet for the trainers that take every character, so that some are unknown.
FREQUENT = {c for c, _ in collections.Counter(TRAINING).most_common(160)} | set("\u00e9\u4e2d")
SENTENCES = [line for line in ("".join(c for c in line if c in FREQUENT) for line in TRAINING.split("\n"))
             if line.strip() and len(line.encode()) < 4000]


def train(tokenizer, trainer):
    tokenizer.train_from_iterator(TRAINING.split("\n"), trainer)


def byte_level(name):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "groups-of-three"))
    tokenizer.pre_tokenizer = BYTE_LEVEL[name]
    if name == "composed":
        tokenizer.normalizer = normalizers.NFC()
    end = {}
    if name == "caseless":
        tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<s>"))
        tokenizer.pre_tokenizer = BYTE_LEVEL[name]
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
        end = {"end_of_word_suffix": "</w>"}
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator([TRAINING], trainers.BpeTrainer(
        vocab_size=PIECES + (256 if end else 0), show_progress=False, initial_alphabet=alphabet, **end))
    if end:   # every byte at the end of a word, too, and what begins a text
        data = json.loads(tokenizer.to_str())
        for piece in [*(byte + "</w>" for byte in sorted(alphabet)), "<s>"]:
            data["model"]["vocab"].setdefault(piece, len(data["model"]["vocab"]))
        tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_special_tokens([t for t in ADDED if t.special])
    tokenizer.add_tokens([t for t in ADDED if not t.special])
    if name == "groups-of-three":
        tokenizer.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B",
                                          special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])])
    elif name == "caseless":
        tokenizer.post_processor = processors.RobertaProcessing(
            ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")))
    else:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if name == "groups-of-three":
        # With ignore_merges, a piece that no merge leads to is still found as a whole word.
        data = json.loads(tokenizer.to_str())
        data["model"]["merges"] = [m for m in data["model"]["merges"] if "".join(m) not in ("self", "\u0120the")]
        tokenizer = Tokenizer.from_str(json.dumps(data))
    return tokenizer


def word_pieces(name):
    lower = name == "word-pieces"
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    train(tokenizer, trainers.WordPieceTrainer(
        vocab_size=PIECES, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], limit_alphabet=200,
        show_progress=False))
    begin, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=lower)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", end), ("[CLS]", begin)) if lower else \
        processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                      special_tokens=[("[CLS]", begin), ("[SEP]", end)])
    return tokenizer


def marked_pieces(name):
    """Byte-pair encoding of characters, spaces written as marks."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    train(tokenizer, trainers.BpeTrainer(
        vocab_size=PIECES, special_tokens=["<unk>", "<s>", "</s>"], limit_alphabet=150, show_progress=False))
    data = json.loads(tokenizer.to_str())
    if name != "marks-unknown":
        vocabulary = {piece: id + (256 if id > 2 else 0) for piece, id in data["model"]["vocab"].items()}
        data["model"]["vocab"] = {**vocabulary, **{piece: 3 + byte for byte, piece in enumerate(BYTES)}}
        data["model"]["byte_fallback"] = True
    tokenizer = Tokenizer.from_str(json.dumps(data))
    steps = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(steps + [decoders.Strip(" ", 1, 0)])
    tokenizer.pre_tokenizer = None
    if name == "marks-prepended":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    elif name == "marks-replaced":
        tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
        tokenizer.decoder = decoders.Sequence(steps)
    else:
        scheme = "first" if name == "marks-first" else "always"
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=name == "marks-unknown")
    if name == "marks-unknown":
        tokenizer.decoder = decoders.Metaspace()
    begin = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", begin)])
    tokenizer.add_special_tokens([t for t in ADDED if t.special])
    tokenizer.add_tokens([t for t in ADDED if not t.special])
    return tokenizer


def character_map():
    """A small map, compiled by SentencePiece: wide and joined forms, letters with marks, white space."""
    rules = {chr(c): unicodedata.normalize("NFKC", chr(c)) for c in
             [*range(0xA0, 0x180), *range(0x3000, 0x3002), *range(0xFF01, 0xFF5F), *range(0xFB00, 0xFB05), 0x2460, 0x2126,
              0x1E69, 0x2003, 0x202F, 0x1100]}
    rules = {a: b for a, b in rules.items() if a != b}
    rules.update({"\t": " ", "\n": " ", "\r": " ", "\u0000": "", "\u00ad": "", "\u200b": "", "e\u0301": "\u00e9", "s\u0323\u0307": "\u1e69",
                  "\u1100\u1161": "\uac00", "\U0001f44d\U0001f3fd": "+1", "Caf": "caf"})
    # Zero ends texts in such a map: no rule can be for it.
    del rules["\u0000"]
    lines = [" ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) for a, b in rules.items()]
    path = FOLDER / "rules.tmp"
    path.write_text("\n".join(lines) + "\n")
    try:
        model = sentencepiece_model(model_type="unigram", vocab_size=300, normalization_rule_tsv=str(path))
    finally:
        path.unlink()
    return model


def sentencepiece_model(**options):
    output = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=output, minloglevel=2, num_threads=1, character_coverage=1.0,
        hard_vocab_limit=False, **options)
    return output.getvalue()


def fields(message):
    """(number, bytes) of each field with a length, in a protobuf message."""
    def integer(at):
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at
    at = 0
    while at < len(message):
        head, at = integer(at)
        if head & 7 == 2:
            size, at = integer(at)
            yield head >> 3, message[at:at + size]
            at += size
        elif head & 7 == 0:
            _, at = integer(at)
        else:
            at += 8 if head & 7 == 1 else 4


def unigram(name):
    special = {"unigram": ["<s>", "<pad>", "</s>", "<unk>"], "unigram-bytes": ["<pad>", "</s>", "<unk>"],
               "unigram-lower": ["<pad>", "<unk>", "[CLS]", "[SEP]"]}[name]
    compiled = dict(fields(dict(fields(character_map()))[3]))[2]
    tokenizer = Tokenizer(models.Unigram())
    steps = [normalizers.Precompiled(compiled)]
    if name == "unigram-lower":
        steps = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(),
                 normalizers.StripAccents(), normalizers.Lowercase(), *steps, normalizers.Replace(Regex(" {2,}"), " ")]
    tokenizer.normalizer = normalizers.Sequence(steps)
    marks = pre_tokenizers.Metaspace()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), marks]) \
        if name == "unigram" else marks
    tokenizer.train_from_iterator(SENTENCES, trainers.UnigramTrainer(
        vocab_size=PIECES, special_tokens=special, unk_token="<unk>", initial_alphabet=[], show_progress=False))
    data = json.loads(tokenizer.to_str())
    pieces = data["model"]["vocab"]
    if name == "unigram-bytes":
        pieces += [[byte, -12.5] for byte in BYTES]
        data["model"]["byte_fallback"] = True
    data["model"]["vocab"] = pieces
    data["model"]["unk_id"] = [p for p, _ in pieces].index("<unk>")
    data["added_tokens"] = []
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    tokenizer.add_tokens([AddedToken("<keep>", lstrip=True, normalized=False)])
    ids = {t: tokenizer.token_to_id(t) for t in special}
    frame = {"unigram": ("<s> $A </s>", "<s> $A </s> </s> $B </s>"), "unigram-bytes": ("$A </s>", "$A </s> $B </s>"),
             "unigram-lower": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")}[name]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=frame[0], pair=frame[1], special_tokens=[(t, ids[t]) for t in special if t in frame[0]])
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()]) \
        if name == "unigram-bytes" else decoders.Metaspace()
    return tokenizer


# MARK: Expectations

def plain_reference(tokenizer, parses_special=False):
    """What takes text that looks like a special token for text, and what looks like a byte's token always.

    Unigram vocabularies hold the texts of these, and `tokenizers` would find them: a text of a user must not.
    """
    data = json.loads(tokenizer.to_str())
    if data["model"]["type"] == "Unigram":
        special = {t["content"] for t in data["added_tokens"] if t["special"] and not parses_special} | set(BYTES)
        for index, entry in enumerate(data["model"]["vocab"]):
            if entry[0] in special:
                entry[0] = f"\U0010fffe{index}"
        for token in data["added_tokens"]:
            if token["special"] and not parses_special:
                token["content"] = f"\U0010fffe{token['id']}"
        keep = data["model"].get("byte_fallback")
        data["model"]["byte_fallback"] = False
        reference = Tokenizer.from_str(json.dumps(data))
        if keep:   # the unknown, byte by byte
            first = [p for p, _ in json.loads(tokenizer.to_str())["model"]["vocab"]].index("<0x00>")
            unknown = data["model"]["unk_id"]

            def encode(text):
                encoding, ids = reference.encode(text, add_special_tokens=False), []
                for id, piece in zip(encoding.ids, encoding.tokens):
                    ids += [first + byte for byte in piece.encode()] if id == unknown else [id]
                return ids
            return encode
    else:
        reference = Tokenizer.from_str(tokenizer.to_str())
        reference.encode_special_tokens = not parses_special
    return lambda text: reference.encode(text, add_special_tokens=False).ids


def texts():
    source = random.Random(SEED)
    scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    low = [c for c in range(0x3000) if unicodedata.category(chr(c)) not in ("Cn", "Cc")]
    texts = NASTY + ["".join(map(chr, source.choices(scalars, k=40))) for _ in range(4)]
    texts += ["".join(map(chr, source.choices(low, k=60))) for _ in range(6)]
    mixed = mixed_text(20_000, [t.content for t in ADDED], SEED + 1)
    return texts + [mixed[i:i + 400] for i in range(0, 2800, 400)]


def decodes(tokenizer, bytes_first):
    """[ids, text, text without special tokens] of random ids, and of random bytes where there are tokens of these."""
    source = random.Random(SEED)
    count = tokenizer.get_vocab_size()
    known = [id for id in range(count) if tokenizer.id_to_token(id) is not None]
    rows = [source.choices(known, k=source.randint(1, 12)) for _ in range(12)]
    if bytes_first is not None:
        rows += [[bytes_first + b for b in bytes] + [known[-20]] for bytes in (
            b"\xe4\xb8\xad", b"\xe4\xb8", b"\xe4\xb8\xadA\xff", b"\xf0\x9f\x98\x80", b"\xc3\xa9\xc3")]
    return [[ids, tokenizer.decode(ids, skip_special_tokens=False), tokenizer.decode(ids)] for ids in rows]


def write(name, content):
    path = FOLDER / name
    about = f"{PINNED}, seed {SEED}; made by scripts/make_tokenizer_fixtures.py"
    path.write_text(json.dumps({"about": about, **content}, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


def cases(texts, plain, special=None):
    rows = []
    for text in texts:
        first = plain(text)
        second = special(text) if special else first
        rows.append([first] if first == second else [first, second])
    return rows


def write_file(name, tokenizer, texts):
    special = plain_reference(tokenizer, parses_special=True)
    data = json.loads(tokenizer.to_str())
    if name == "classic":   # the older way to write merges
        data["model"]["merges"] = [" ".join(merge) for merge in data["model"]["merges"]]
    framed, pair = tokenizer.encode("Hello there"), tokenizer.encode("Hello", "there x")
    content = {"cases": cases(texts, plain_reference(tokenizer), special), "framed": [framed.ids, framed.type_ids],
               "tokenizer": data}
    if name not in BYTE_LEVEL or name in ("groups-of-three", "caseless"):
        content["pair"] = [pair.ids, pair.type_ids]
    if name != "caseless":   # whose callers take the ends of words out of the text
        content["decodes"] = decodes(tokenizer, tokenizer.token_to_id("<0x00>"))
    write(f"{name}.json", content)


def write_model(name, model, texts):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    source = random.Random(SEED)
    rows = [source.choices(range(processor.vocab_size()), k=source.randint(1, 12)) for _ in range(12)]
    first = processor.piece_to_id("<0x00>")
    if processor.is_byte(first):
        rows += [[first + b for b in bytes] + [processor.vocab_size() - 20] for bytes in (
            b"\xe4\xb8\xad", b"\xe4\xb8", b"\xe4\xb8\xadA\xff", b"\xf0\x9f\x98\x80", b"\xc3\xa9\xc3")]
    (FOLDER / f"{name}.model").write_bytes(model)
    write(f"{name}.json", {"cases": cases(texts, processor.encode),
                           "decodes": [[ids, None, processor.decode(ids)] for ids in rows]})


def write_ranks(name, special, normalize, spelled, texts):
    """A file of ranks made of a byte-level vocabulary, read by tiktoken with what the model's own code adds."""
    data = json.loads(byte_level("composed").to_str())["model"]["vocab"]
    letters = {c: b for b, c in zip(range(256), byte_letters())}
    pieces = [bytes(letters[c] for c in piece) for piece, _ in sorted(data.items(), key=lambda item: item[1])
              if set(piece) <= set(letters)]
    (FOLDER / f"{name}.tiktoken").write_bytes(
        b"".join(base64.b64encode(piece) + b" %d\n" % rank for rank, piece in enumerate(pieces)))
    encoding = tiktoken.Encoding(name, pat_str=MODERN % "", mergeable_ranks={p: r for r, p in enumerate(pieces)},
                                 special_tokens={t: len(pieces) + i for i, t in enumerate(special)})
    write(f"{name}.json", {"cases": cases(
        texts, lambda text: encoding.encode(normalize(text), allowed_special=spelled, disallowed_special=()),
        lambda text: encoding.encode(normalize(text), allowed_special="all"))})


def byte_letters():
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    more = iter(range(0x100, 0x200))
    return [chr(byte if byte in plain else next(more)) for byte in range(256)]


def runs_as_tokens(text):
    for line_break in ("[br]", "<br>"):
        text = text.replace(line_break, "\n")
    for count in (8, 4, 3, 2):
        text = text.replace(" " * count, f"[space{count}]")
    return text


# MARK: All characters

def blocks():
    starts = [*range(0, 0x1F000, 0x1000), 0x1F000, 0x20000, 0x2A000, 0x2B000, 0x2C000, 0x2F000, 0x30000, 0xE0000]
    for start in starts:
        yield start, [c for c in range(start, start + 0x1000) if not 0xD800 <= c < 0xE000]


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def all_characters():
    steps = {"NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(), "NFKD": normalizers.NFKD(),
             "Lowercase": normalizers.Lowercase(), "StripAccents": normalizers.StripAccents(),
             "Strip": normalizers.Strip(), "spaces": normalizers.Replace(Regex(r"\s+"), "_"),
             "cased": normalizers.BertNormalizer(lowercase=False), "lower": normalizers.BertNormalizer()}
    cuts = {**BYTE_LEVEL, "bert": pre_tokenizers.BertPreTokenizer(), "words": pre_tokenizers.Whitespace(),
            "whitespace": pre_tokenizers.WhitespaceSplit(), "punctuation": pre_tokenizers.Punctuation(),
            "number": pre_tokenizers.Digits(individual_digits=False)}
    letters = {c: b for b, c in enumerate(byte_letters())}
    found = {"normalizers": [], "cuts": []}
    for step in steps.values():
        hashes = []
        for _, block in blocks():
            text = "".join("x" + chr(c) for c in block) + " " + "".join(map(chr, block)) + " "
            hashes.append(fnv(step.normalize_str(text).encode()))
        found["normalizers"].append([describe(step, "normalizer"), hashes])
    for name, cut in cuts.items():
        hashes = []
        for start, block in blocks():
            text = "".join(f"a{chr(c)}B{chr(c)}{chr(c)}1 {chr(c)}!{chr(c)}b\n{chr(c)}" for c in block
                           if c < 0x3000 or c % 7 == 0)
            data = bytearray()
            for piece, _ in cut.pre_tokenize_str(text):
                data += bytes(letters[c] for c in piece) if name in BYTE_LEVEL else piece.encode()
                data.append(255)
            hashes.append(fnv(data))
        found["cuts"].append([describe(cut, "pre_tokenizer"), hashes])
    return found


def describe(part, key):
    tokenizer = Tokenizer(models.BPE())
    setattr(tokenizer, key, part)
    return json.loads(tokenizer.to_str())[key]


def main():
    found = f"tokenizers {tokenizers.__version__}, sentencepiece {sentencepiece.__version__}, tiktoken {tiktoken.__version__}"
    if found != PINNED:
        sys.exit(f"needs {PINNED}, found {found}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    all_texts = texts()
    write("texts.json", {"texts": all_texts})
    for name in BYTE_LEVEL:
        write_file(name, byte_level(name), all_texts)
    for name in ("word-pieces", "word-pieces-cased"):
        write_file(name, word_pieces(name), all_texts)
    for name in ("marks-prepended", "marks-first", "marks-replaced", "marks-unknown"):
        write_file(name, marked_pieces(name), all_texts)
    for name in ("unigram", "unigram-bytes", "unigram-lower"):
        write_file(name, unigram(name), all_texts)
    user = ["<keep>", "\u2581is\u2581a", "self."]
    write_model("pairs-bytes", sentencepiece_model(
        model_type="bpe", vocab_size=700, byte_fallback=True, split_digits=True, remove_extra_whitespaces=False,
        normalization_rule_name="identity", user_defined_symbols=user), all_texts)
    write_model("pairs", sentencepiece_model(model_type="bpe", vocab_size=500, normalization_rule_name="identity",
                                             split_by_whitespace=False), all_texts)
    write_model("unigrams", sentencepiece_model(model_type="unigram", vocab_size=800, user_defined_symbols=user),
                all_texts)
    write_model("unigrams-mapped", character_map(), all_texts)
    extra = [f"<|extra_{i}|>" for i in range(205)]
    composed = lambda text: unicodedata.normalize("NFC", text)
    write_ranks("qwen", ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *extra], composed, set(),
                [*all_texts, "<|im_start|>user\nhi<|im_end|>"])
    runs = [f"[space{count}]" for count in (2, 3, 4, 8)]
    write_ranks("360", ["<pad>", "<unk>", "<mask>", "<eod>", "<eop>", *runs, "<|im_start|>", "<|im_end|>"],
                runs_as_tokens, set(runs), [*all_texts, "a[br]b<br>c", " " * 15 + "x<eod>[space2]"])
    write("unicode.json", all_characters())


if __name__ == "__main__":
    main()
