import Foundation
import Testing
import TinyJSON

@testable import TinyTokenizer

/// A tokenizer trained on little text, and what the Python packages `tokenizers`, `sentencepiece` and `tiktoken` make of
/// the texts in `texts.json`.
struct TokenizerFixture {
    struct Case {
        let text: String
        let plain: [Int]
        let special: [Int]
    }

    struct Decode {
        let ids: [Int]
        /// nil where the reference knows no special tokens in text.
        let text: String?
        let skipped: String
    }

    static let byteLevel = [
        "classic", "classic-prefix", "groups-of-three", "composed", "digits", "cased", "cased-alone", "marks",
        "line-ends",
        "marked", "marked-lines", "stops", "punctuated", "caseless",
    ]
    static let names =
        byteLevel + [
            "word-pieces", "word-pieces-cased", "marks-prepended", "marks-first", "marks-replaced", "marks-unknown",
            "unigram", "unigram-bytes", "unigram-lower",
        ]
    static let models = ["pairs-bytes", "pairs", "unigrams", "unigrams-mapped"]
    static let ranks = ["qwen", "360"]

    let root: JSONObject
    let tokenizer: Tokenizer
    let cases: [Case]
    let decodes: [Decode]

    init(_ name: String) throws {
        root = try Self.object("\(name).json")
        if let file = root["tokenizer"] {
            tokenizer = try Tokenizer(tokenizerFile: file, file: "\(name).json")
        } else if Self.ranks.contains(name) {
            let file = "\(name).tiktoken"
            tokenizer = try Tokenizer(
                ranks: RankFile(Self.bytes(file), file: file), convention: #require(RankConvention(fileName: file)))
        } else {
            tokenizer = try Tokenizer(sentencePiece: Self.model(name), addsBeginning: true, addsEnd: true)
        }
        let more = [
            "qwen": ["<|im_start|>user\nhi<|im_end|>"],
            "360": ["a[br]b<br>c", String(repeating: " ", count: 15) + "x<eod>[space2]"],
        ]
        let texts = try Self.object("texts.json")["texts"]!.array!.map { $0.string! } + (more[name] ?? [])
        cases = zip(texts, root["cases"]!.array!).map { text, item in
            let rows = item.array!.map { $0.array!.map { $0.integer! } }
            return Case(text: text, plain: rows[0], special: rows.last!)
        }
        #expect(cases.count == texts.count)
        decodes = (root["decodes"]?.array ?? []).map { item in
            let parts = item.array!
            return Decode(
                ids: parts[0].array!.map { $0.integer! }, text: parts[1].string, skipped: parts[2].string!)
        }
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)")
        return [UInt8](try Data(contentsOf: url))
    }

    static func object(_ name: String) throws -> JSONObject {
        let tables = Tokenizer.tokenizerFileTables.map { ["tokenizer"] + $0 }
        return try JSON(parsing: bytes(name), tables: tables).object!
    }

    static func model(_ name: String) throws -> SentencePieceVocabulary {
        try SentencePieceVocabulary(modelFile: bytes("\(name).model"), file: "\(name).model")
    }

    /// `[ids, types]`
    func framed(_ key: String) -> FramedTokens? {
        root[key]?.array.map { rows in
            FramedTokens(tokens: rows[0].array!.map { $0.integer! }, types: rows[1].array!.map { $0.integer! })
        }
    }
}

/// FNV-1a, as the fixtures' script computes it.
func hash(_ bytes: [UInt8]) -> String {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    bytes.withUnsafeBufferPointer { bytes in
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
}

/// The 256 bytes in the byte alphabet, by byte.
let byteAlphabet: [String] = {
    var next: UInt32 = 0x100
    return (0..<256).map { (byte: UInt32) in
        let isPrintable = 0x21...0x7E ~= byte || 0xA1...0xAC ~= byte || 0xAE...0xFF ~= byte
        if isPrintable { return String(Unicode.Scalar(byte)!) }
        defer { next += 1 }
        return String(Unicode.Scalar(next)!)
    }
}()

/// The smallest vocabulary that is good: every byte, and what is added.
func vocabulary(_ extra: [String] = [], types: [Int] = [], merges: [String] = [], pre: String? = "gpt-2") -> Vocabulary
{
    Vocabulary(
        file: "v.gguf", model: "gpt2", preTokenizer: pre, tokens: TextList(byteAlphabet + extra),
        types: types.isEmpty ? [] : Array(repeating: 1, count: 256) + types, merges: TextList(merges))
}

/// A small `tokenizer.json` that is good, with replacements for some of its text.
func tokenizerFile(_ replacing: (String, String)..., pieces: [String] = ["ab"]) throws -> Tokenizer {
    let quote = { (text: String) in "\"" + (text == "\"" || text == "\\" ? "\\" + text : text) + "\"" }
    let vocab = (byteAlphabet + pieces).enumerated().map { "\(quote($1)):\($0)" }.joined(separator: ",")
    var text = """
        {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
        "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
        "post_processor":null,"decoder":{"type":"ByteLevel"},
        "model":{"type":"BPE","dropout":null,"unk_token":null,"fuse_unk":false,"vocab":{VOCAB},"merges":["a b"]}}
        """
    for (old, new) in replacing {
        precondition(text.contains(old), "the good file does not hold \(old)")
        text = text.replacing(old, with: new)
    }
    return try Tokenizer(
        tokenizerFile: JSON(
            parsing: Array(text.replacing("VOCAB", with: vocab).utf8), tables: Tokenizer.tokenizerFileTables),
        file: "t.json")
}

/// The error's text, or nil if there was none.
func message(_ body: () throws -> some Any) -> String? {
    do {
        _ = try body()
        return nil
    } catch { return "\(error)" }
}

extension Vocabulary {
    mutating func replace(_ token: Int, _ text: String) {
        var texts = tokens.texts
        texts[token] = text
        tokens = TextList(texts)
    }
}
