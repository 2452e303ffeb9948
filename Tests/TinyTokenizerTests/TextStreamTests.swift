import Testing

@testable import TinyTokenizer

@Suite struct TextStreamTests {
    private let tokenizer: Tokenizer

    /// One token for each byte, so that every character can be cut anywhere.
    init() throws { tokenizer = try Tokenizer(vocabulary: vocabulary(["<|im_end|>"], types: [3])) }

    private func tokens(_ bytes: [UInt8]) -> [Int] { bytes.flatMap { tokenizer.encode(utf8: [$0]) } }

    private func streamed(_ tokens: [Int]) -> String {
        var stream = TextStream(tokenizer)
        return tokens.map { stream.append($0) }.joined() + stream.finish()
    }

    @Test func charactersComeWhole() {
        var stream = TextStream(tokenizer)
        let pieces = tokens(Array("a€😀é".utf8)).map { stream.append($0) }
        #expect(pieces == ["a", "", "", "€", "", "", "", "😀", "", "é"])
        #expect(stream.finish() == "")
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xE2, 0x28, 0xA1], [0xED, 0xA0, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x80, 0x80, 0x80], [0x80, 0x80], [0xE0, 0x80], [0xF1, 0x80, 0x41],
            [0xC3, 0xC3, 0xA9], [0xF5, 0x80], [0xE4, 0xB8, 0xAD, 0xE4],
        ] as [[UInt8]])
    func brokenBytesAreReplaced(_ bytes: [UInt8]) throws {
        let expected = String(decoding: bytes, as: UTF8.self)
        #expect(streamed(tokens(bytes)) == expected)
        #expect(try tokenizer.decode(tokens(bytes)) == expected)
    }

    /// As Python and Rust have it: one U+FFFD for each maximal part.
    @Test func replacementsAreCountedAsInPython() throws {
        #expect(try tokenizer.decode(tokens([0xF0, 0x9F, 0x98, 0x41])) == "\u{FFFD}A")
        #expect(try tokenizer.decode(tokens([0xED, 0xA0, 0x80])) == "\u{FFFD}\u{FFFD}\u{FFFD}")
        #expect(try tokenizer.decode(tokens([0xE4, 0xB8, 0xE4, 0xB8, 0xAD])) == "\u{FFFD}中")
    }

    @Test func anyBytesStreamAsTheyDecode() {
        let interesting: [UInt8] = [
            0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE4, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5,
        ]
        var state: UInt64 = 3
        for _ in 0..<1000 {
            var stream = TextStream(tokenizer)
            var all: [UInt8] = []
            var text = ""
            for _ in 0..<6 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let part = (0..<Int(state >> 62)).map { interesting[Int((state >> (20 + 8 * $0)) % 18)] }
                all += part
                text += stream.append(bytes: part)
            }
            text += stream.finish()
            // By bytes: `==` on strings would take in canonical equivalence.
            #expect(Array(text.utf8) == Array(String(decoding: all, as: UTF8.self).utf8), "\(all)")
        }
    }

    @Test func unknownAndSpecialTokens() {
        #expect(streamed([0x41, 9999, -1]) == "A")
        #expect(streamed([0x41, 256]) == "A<|im_end|>")
        var stream = TextStream(tokenizer, skipSpecial: true)
        #expect(stream.append(256) == "")
        #expect(
            message { try tokenizer.decode([9999]) }
                == "v.gguf: token 9999: found no such token, expected one of 257 ids")
        #expect(message { try tokenizer.piece(-1) } != nil)
    }
}
