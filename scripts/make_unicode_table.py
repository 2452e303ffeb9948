#!/usr/bin/env python3
"""Writes Sources/TinyTokenizer/UnicodeTables.swift: what the tokenizer knows of characters.

    pip install tokenizers==0.23.3
    scripts/make_unicode_table.py [OUTPUT.swift]

Every entry is found by asking the Python package `tokenizers`, character by character, and not from a Unicode data
file: its regular expressions, its digits, its word characters and its NFC follow four different Unicode versions, and
our ids are held to what it does. Only the names of combining classes and decompositions come from `unicodedata`, and
each is kept only if `tokenizers` acts on it.
"""
import sys
import unicodedata
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

PINNED = "0.23.3"
OUTPUT = Path(__file__).resolve().parent.parent / "Sources/TinyTokenizer/UnicodeTables.swift"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]

# The flags of CharacterClass.
UPPER, LOWER, OTHER_LETTER, MARK, NUMBER, SPACE, PUNCTUATION, SYMBOL = (1 << i for i in range(8))
NUMERIC, WORD, UNSTABLE, ISOLATED, CONTROL, NONSPACING, COMBINING = (1 << i for i in range(8, 15))


def matching(pattern):
    """The characters a regular expression of one character matches."""
    everything = "".join(map(chr, SCALARS))
    rest = pre_tokenizers.Split(Regex(pattern), "removed").pre_tokenize_str(everything)
    return set(SCALARS) - {ord(c) for piece, _ in rest for c in piece}


def isolated():
    """What `Punctuation` and `BertPreTokenizer` isolate."""
    text = "".join("\u0300" + chr(c) for c in SCALARS)
    pieces = pre_tokenizers.Punctuation().pre_tokenize_str(text)
    return {ord(piece) for piece, _ in pieces if len(piece) == 1} - {0x300}


def controls():
    """What `BertNormalizer` leaves out when it cleans text."""
    clean = normalizers.BertNormalizer(True, False, False, False)
    return {c for c in SCALARS if not clean.normalize_str(chr(c))}


def removed(normalizer):
    return {c for c in SCALARS if not normalizer.normalize_str(chr(c))}


def digits():
    """What `Digits` isolates: Rust's `char::is_numeric`."""
    text = "".join("\u0300" + chr(c) for c in SCALARS)
    pieces = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str(text)
    return {ord(piece) for piece, _ in pieces if len(piece) == 1} - {0x300}


def word_characters():
    """What a `single_word` added token may not touch."""
    tokenizer = Tokenizer(models.BPE({"a": 0}, []))
    tokenizer.add_tokens([AddedToken("QQ", single_word=True, normalized=False)])
    added = tokenizer.token_to_id("QQ")
    return {c for c in SCALARS if added not in tokenizer.encode(chr(c) + "QQ").ids}


def canonical():
    """(decompositions {c: (a, b or 0)}, composing {c}, combining classes {c: class}) as `tokenizers` has them."""
    nfc, nfd = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str
    decompositions, composing, classes = {}, set(), {}
    for c in SCALARS:
        if 0xAC00 <= c < 0xD7A4:                  # Hangul syllables are computed
            continue
        text = unicodedata.decomposition(chr(c))
        if text and not text.startswith("<") and nfd(chr(c)) != chr(c):
            parts = [int(x, 16) for x in text.split()]
            decompositions[c] = (parts + [0])[:2]
            if len(parts) == 2 and nfc("".join(map(chr, parts))) == chr(c):
                composing.add(c)
        elif nfd(chr(c)) != chr(c):
            sys.exit(f"U+{c:04X} decomposes in tokenizers but not in unicodedata")
        combining = unicodedata.combining(chr(c))
        # A mark of class 1 put behind a mark is sorted in front of it; if not, it has class 0 (or 1 itself).
        if combining > 1 and nfd("a" + chr(c) + "\u0334") == "a\u0334" + nfd(chr(c)):
            classes[c] = combining
        elif combining == 1 and nfd("a\u0323" + chr(c)) == "a" + chr(c) + "\u0323":
            classes[c] = 1
    return decompositions, composing, classes


def compatibility():
    """{c: NFKD of c} where it is not NFD of c."""
    nfd, nfkd = normalizers.NFD().normalize_str, normalizers.NFKD().normalize_str
    return {c: [ord(x) for x in nfkd(chr(c))] for c in SCALARS if nfkd(chr(c)) != nfd(chr(c))}


def lower_cases():
    lower = normalizers.Lowercase().normalize_str
    return {c: [ord(x) for x in lower(chr(c))] for c in SCALARS if lower(chr(c)) != chr(c)}


def mappings(table):
    """(distance from the scalar before, how many it becomes, each as a difference to the one before, folded) of each."""
    text, previous = "", 0
    for c, parts in sorted(table.items()):
        text += number(c - previous) + number(len(parts))
        last = c
        for part in parts:
            delta = part - last
            text += number(delta << 1 if delta >= 0 else (-delta << 1) - 1)
            last = part
        previous = c
    return text


def number(value):
    """Five bits a character, the low ones first; a set sixth bit says that more follow."""
    text = ""
    while True:
        value, low = value >> 5, value & 31
        text += ALPHABET[low | (32 if value else 0)]
        if not value:
            return text


def runs(values):
    """(value, length) of each run of equal values from U+0000 to U+10FFFF."""
    text, start, count = "", 0, 0
    for c in range(1, 0x110001):
        if c == 0x110000 or values.get(c, 0) != values.get(start, 0):
            text += number(values.get(start, 0)) + number(c - start)
            start, count = c, count + 1
    return text, count


def literal(name, comment, text):
    lines = [text[i:i + 112] for i in range(0, len(text), 112)]
    body = "\\\n".join("        " + line for line in lines)
    return f'    /// {comment}\n    static let {name}: StaticString = """\n{body}\n        """\n'


def main():
    if tokenizers.__version__ != PINNED:
        sys.exit(f"needs tokenizers {PINNED}, found {tokenizers.__version__}")
    categories = {flag: matching(pattern) for flag, pattern in (
        (UPPER, r"[\p{Lu}\p{Lt}]"), (LOWER, r"\p{Ll}"), (OTHER_LETTER, r"[\p{Lm}\p{Lo}]"), (MARK, r"\p{M}"),
        (NUMBER, r"\p{N}"), (SPACE, r"\s"), (PUNCTUATION, r"\p{P}"), (SYMBOL, r"\p{S}"))}
    letters = categories[UPPER] | categories[LOWER] | categories[OTHER_LETTER]
    assert letters == matching(r"\p{L}") and sum(map(len, categories.values())) == len(set().union(*categories.values()))
    numeric = digits()
    decompositions, composing, classes = canonical()
    assert categories[NUMBER] <= numeric and not (letters & numeric) and not (categories[SPACE] & numeric)
    second = {decompositions[c][1] for c in composing}
    vowels_and_finals = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    unstable = (set(decompositions) - composing) | second | set(classes) | vowels_and_finals
    assert min(unstable) >= 0x300, "the quick check of Normalizer.swift"
    blanks = matching(r"\s") ^ (set(SCALARS) - {ord(p) for p, _ in pre_tokenizers.WhitespaceSplit().pre_tokenize_str(
        " ".join(map(chr, SCALARS))) if len(p) == 1})
    assert not blanks, "WhitespaceSplit cuts at other characters than \\s"
    flags = {**categories, NUMERIC: numeric, WORD: word_characters(), UNSTABLE: unstable, ISOLATED: isolated(),
             CONTROL: controls(), NONSPACING: removed(normalizers.BertNormalizer(False, False, True, False)),
             COMBINING: removed(normalizers.StripAccents())}
    values = {c: 0 for c in SCALARS}
    for flag, members in flags.items():
        for c in members:
            values[c] |= flag
    for c in range(0xD800, 0xE000):               # never asked for: join the neighbours
        values[c] = values[0xD7FF]
    class_text, class_count = runs(values)
    combining_text, combining_count = runs(classes)
    canonical_text, previous = "", 0
    for c, (a, b) in sorted(decompositions.items()):
        canonical_text += number((c - previous) << 1 | (c in composing)) + number(a) + number(b)
        previous = c
    compatible, lower = compatibility(), lower_cases()
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    out.write_text(
        f"""// Made by scripts/make_unicode_table.py from tokenizers {PINNED}. Not to be edited.

/// Tables as texts of small numbers (see `NumberText`): an array literal of this size takes minutes to compile.
enum UnicodeTables {{
"""
        + literal("classes", f"`CharacterClass` of every scalar: {class_count} runs of (value, length).", class_text)
        + "\n"
        + literal("combining", f"Canonical combining class: {combining_count} runs of (class, length).", combining_text)
        + "\n"
        + literal("decompositions",
                  f"{len(decompositions)} times (distance from the scalar before · 2 + composes again, first, second or 0).",
                  canonical_text)
        + "\n"
        + literal("compatibility", f"{len(compatible)} more that NFKD takes apart, in full (see `ScalarMapping`).",
                  mappings(compatible))
        + "\n"
        + literal("lowerCases", f"{len(lower)} characters with a lower case (see `ScalarMapping`).", mappings(lower))
        + "}\n")
    print(f"{out}: {class_count} class runs, {combining_count} combining runs, {len(decompositions)} decompositions")


if __name__ == "__main__":
    main()
