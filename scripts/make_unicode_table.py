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

LETTER, NUMBER, SPACE, LATE_NUMBER = 1, 2, 3, 4   # the values of CharacterClass.Kind
WORD, UNSTABLE = 8, 16                            # its flags


def matching(pattern):
    """The characters a regular expression of one character matches."""
    everything = "".join(map(chr, SCALARS))
    rest = pre_tokenizers.Split(Regex(pattern), "removed").pre_tokenize_str(everything)
    return set(SCALARS) - {ord(c) for piece, _ in rest for c in piece}


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
    letters, numbers, spaces = matching(r"\p{L}"), matching(r"\p{N}"), matching(r"\s")
    numeric, word = digits(), word_characters()
    decompositions, composing, classes = canonical()
    assert numbers <= numeric and not (letters & numeric) and not (spaces & numeric)
    second = {decompositions[c][1] for c in composing}
    vowels_and_finals = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    unstable = (set(decompositions) - composing) | second | set(classes) | vowels_and_finals
    assert min(unstable) >= 0x300, "the quick check of Normalizer.swift"
    values = {}
    for c in SCALARS:
        kind = LETTER if c in letters else NUMBER if c in numbers else SPACE if c in spaces else \
            LATE_NUMBER if c in numeric else 0
        values[c] = kind | (WORD if c in word else 0) | (UNSTABLE if c in unstable else 0)
    for c in range(0xD800, 0xE000):               # never asked for: join the neighbours
        values[c] = values[0xD7FF]
    class_text, class_count = runs(values)
    combining_text, combining_count = runs(classes)
    canonical_text, previous = "", 0
    for c, (a, b) in sorted(decompositions.items()):
        canonical_text += number((c - previous) << 1 | (c in composing)) + number(a) + number(b)
        previous = c
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
        + "}\n")
    print(f"{out}: {class_count} class runs, {combining_count} combining runs, {len(decompositions)} decompositions")


if __name__ == "__main__":
    main()
