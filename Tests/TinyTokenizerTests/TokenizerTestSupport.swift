import Foundation
import TinyJSON

@testable import TinyTokenizer

/// A tokenizer trained on little text, and texts with the ids that the Python package `tokenizers` gave them.
struct TokenizerFixture {
    struct Case {
        let text: String
        let plain: [Int]
        let special: [Int]
    }

    static let names = ["classic", "classic-prefix", "groups-of-three", "composed", "digits"]

    let tokenizer: Tokenizer
    let prompt: [Int]
    let cases: [Case]

    init(_ name: String) throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name).json")
        let root = try JSON(parsing: [UInt8](try Data(contentsOf: url))).object!
        tokenizer = try Tokenizer(tokenizerFile: root["tokenizer"]!, file: "\(name).json")
        prompt = root["prompt"]!.array!.map { $0.integer! }
        cases = root["cases"]!.array!.map { item in
            let parts = item.array!
            return Case(
                text: parts[0].string!, plain: parts[1].array!.map { $0.integer! },
                special: parts[2].array!.map { $0.integer! })
        }
    }
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
        file: "v.gguf", model: "gpt2", preTokenizer: pre, tokens: byteAlphabet + extra,
        types: types.isEmpty ? [] : Array(repeating: 1, count: 256) + types, merges: merges)
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
    return try Tokenizer(tokenizerFile: JSON(parsing: text.replacing("VOCAB", with: vocab)), file: "t.json")
}

/// The error's text, or nil if there was none.
func message(_ body: () throws -> some Any) -> String? {
    do {
        _ = try body()
        return nil
    } catch { return "\(error)" }
}
