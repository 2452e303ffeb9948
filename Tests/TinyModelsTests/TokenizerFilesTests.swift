import Foundation
import Testing
import TinyModels
import TinyTokenizer

/// Which file of a folder a tokenizer is read from.
@Suite struct TokenizerFilesTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appending(path: "TinyTokenizerTests/Fixtures")

    /// A folder with copies of files, and texts.
    private func folder(_ copies: [String: String], _ texts: [String: String] = [:]) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tinygpt-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, source) in copies {
            try FileManager.default.copyItem(
                at: Self.fixtures.appending(path: source), to: folder.appending(path: name))
        }
        for (name, text) in texts { try Data(text.utf8).write(to: folder.appending(path: name)) }
        return folder.path(percentEncoded: false)
    }

    @Test func sentencePieceModels() throws {
        let plain = try folder(["tokenizer.model": "pairs-bytes.model"])
        defer { try? FileManager.default.removeItem(atPath: plain) }
        let tokenizer = try Tokenizer(at: plain)
        let begin = try #require(tokenizer.id(of: "<s>"))
        #expect(tokenizer.beginningOfText == begin)
        #expect(try tokenizer.decode(tokenizer.encode("two  words\n")) == "two  words\n")
        #expect(try Tokenizer(at: plain + "/tokenizer.model").encode("words") == tokenizer.encode("words"))
        #expect(try Tokenizer(folder: plain).encode("<s>", special: true) == [begin])

        let count = tokenizer.count
        let config = """
            {"add_bos_token": false, "added_tokens_decoder": {"\(count)": {"content": "<|turn|>", "special": true}}}
            """
        let more = try folder(["tokenizer.model": "pairs-bytes.model"], ["tokenizer_config.json": config])
        defer { try? FileManager.default.removeItem(atPath: more) }
        #expect(try Tokenizer(at: more).encode("<|turn|>", special: true) == [count])
    }

    @Test func ranksAndWordLists() throws {
        let ranks = try folder(["qwen.tiktoken": "qwen.tiktoken"])
        defer { try? FileManager.default.removeItem(atPath: ranks) }
        let tokenizer = try Tokenizer(at: ranks)
        #expect(tokenizer.encode("<|im_end|>", special: true).count == 1)
        #expect(try tokenizer.decode(tokenizer.encode("don't 123")) == "don't 123")

        let words = try folder(
            [:],
            [
                "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nUn\n",
                "tokenizer_config.json": "{\"do_lower_case\": false}",
            ])
        defer { try? FileManager.default.removeItem(atPath: words) }
        #expect(try Tokenizer(at: words).encode("unaffable Unable") == [5, 6, 7, 8, 7])

        let unknown = try folder(["mystery.tiktoken": "qwen.tiktoken"])
        defer { try? FileManager.default.removeItem(atPath: unknown) }
        #expect(throws: (any Error).self) { try Tokenizer(at: unknown) }
        let empty = try folder([:], ["config.json": "{}"])
        defer { try? FileManager.default.removeItem(atPath: empty) }
        #expect(throws: (any Error).self) { try Tokenizer(at: empty) }
    }
}
