import Testing
import TinyJSON

@testable import TinyTokenizer

/// Hashes of what the Python package `tokenizers` makes of all characters, a block at a time.
@Suite struct UnicodeTests {
    static let normalizers = 0..<10
    static let cuts = 0..<19

    /// The blocks of the fixtures' script.
    private static let starts: [UInt32] =
        Array(stride(from: 0, to: 0x1F000, by: 0x1000)) + [0x1F000, 0x20000, 0x2A000, 0x2B000, 0x2C000, 0x2F000]
        + [0x30000, 0xE0000]

    private static func block(_ start: UInt32) -> [UInt32] {
        (start..<start + 0x1000).filter { !(0xD800..<0xE000 ~= $0) }
    }

    private func section(_ key: String, _ description: JSON) throws -> FileSection {
        var object = JSONObject()
        _ = object.append(key, description)
        return try FileSection(.object(object), file: "unicode.json", path: "")
    }

    @Test(arguments: normalizers)
    func normalizesEveryCharacter(_ index: Int) throws {
        let list = try #require(TokenizerFixture.object("unicode.json")["normalizers"]?.array)
        #expect(list.count == Self.normalizers.count)
        let parts = list[index].array!
        var root = try section("normalizer", parts[0])
        let normalizer = try Normalizer(&root)
        for (start, expected) in zip(Self.starts, parts[1].array!) {
            let block = Self.block(start)
            var text: [UInt8] = []
            for value in block {
                text.append(0x78)
                text.append(scalar: value)
            }
            text.append(0x20)
            for value in block { text.append(scalar: value) }
            text.append(0x20)
            let result = normalizer.apply(text, 0..<text.count) ?? text
            #expect(hash(result) == expected.string, "\(parts[0]) from \(String(start, radix: 16))")
        }
    }

    @Test(arguments: cuts)
    func cutsAroundEveryCharacter(_ index: Int) throws {
        let list = try #require(TokenizerFixture.object("unicode.json")["cuts"]?.array)
        #expect(list.count == Self.cuts.count)
        let parts = list[index].array!
        var root = try section("pre_tokenizer", parts[0])
        let preTokenizer = try PreTokenizerReader(&root).preTokenizer
        for (start, expected) in zip(Self.starts, parts[1].array!) {
            var text: [UInt8] = []
            for value in Self.block(start) where value < 0x3000 || value % 7 == 0 {
                for part in ["a", nil, "B", nil, nil, "1 ", nil, "!", nil, "b\n", nil] as [StaticString?] {
                    if let part {
                        part.withUTF8Buffer { text.append(contentsOf: $0) }
                    } else {
                        text.append(scalar: value)
                    }
                }
            }
            #expect(hash(pieces(text, preTokenizer)) == expected.string, "\(parts[0]) from \(String(start, radix: 16))")
        }
    }

    /// The pieces, with a byte between them that no text holds.
    private func pieces(_ text: [UInt8], _ preTokenizer: PreTokenizer) -> [UInt8] {
        var output: [UInt8] = []
        var outer = CutCursor(preTokenizer.before, over: 0..<text.count)
        while let piece = outer.next(text.span, .shared) {
            let changed = preTokenizer.changed(text.span, piece, isFirst: true) ?? Array(text[piece])
            var inner = CutCursor(preTokenizer.after, over: 0..<changed.count)
            while let word = inner.next(changed.span, .shared) {
                output += changed[word]
                output.append(255)
            }
        }
        return output
    }
}
