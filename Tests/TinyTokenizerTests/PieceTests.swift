import Testing

@testable import TinyTokenizer

@Suite("Pieces of a text")
struct PieceTests {
    /// Joined, they are the text that decoding gives; runs part them at whole characters.
    @Test(arguments: TokenizerFixture.names + TokenizerFixture.models + TokenizerFixture.ranks)
    func joined(_ name: String) throws {
        let fixture = try TokenizerFixture(name)
        for test in fixture.cases {
            let text = try fixture.tokenizer.decode(test.plain)
            let pieces = fixture.tokenizer.pieces(test.plain)
            #expect(pieces.count == test.plain.count)
            if text.contains("\u{FFFD}") { continue }
            #expect(String(decoding: pieces.joined(), as: UTF8.self) == text, "\(name): \(test.text)")
            var end = 0
            for run in Tokenizer.runs(pieces) {
                #expect(run.lowerBound == end && !run.isEmpty)
                end = run.upperBound
                #expect(String(validating: Array(pieces[run].joined()), as: UTF8.self) != nil)
            }
            #expect(end == pieces.count)
        }
    }

    @Test func runs() {
        let you: [UInt8] = Array("你".utf8)
        #expect(Tokenizer.runs([[0x61], [you[0]], [you[1], you[2]], [0x62]]) == [0..<1, 1..<3, 3..<4])
        // What cannot become a character ends at once, and so does the text.
        #expect(Tokenizer.runs([[0xFF], [you[0]], [0x61], [you[0]]]) == [0..<1, 1..<3, 3..<4])
        #expect(Tokenizer.runs([[], [0x61]]) == [0..<1, 1..<2])
        #expect(Tokenizer.runs([]) == [])
    }

    @Test func readable() {
        #expect(Tokenizer.readable(Array("a你👍\n".utf8)) == "a你👍\n")
        #expect(Tokenizer.readable([0xE4]) == "\\xE4")
        #expect(Tokenizer.readable([0x61, 0xE4, 0xBD, 0x20, 0xC3, 0xA9, 0x0F, 0xFF]) == "a\\xE4\\xBD é\u{0F}\\xFF")
        #expect(Tokenizer.readable([]) == "")
    }

    /// A token that was a text's first loses its space there, and nowhere else.
    @Test func inside() throws {
        for name in TokenizerFixture.models + ["marks-first", "marks-prepended", "word-pieces"] {
            let tokenizer = try TokenizerFixture(name).tokenizer
            let tokens = tokenizer.encode("the the")
            let pieces = tokenizer.pieces(tokens)
            #expect(tokenizer.pieces([tokens[0]]) == [pieces[0]])
            #expect(tokenizer.pieceInside(tokens.last!) == pieces.last!, "\(name)")
            #expect(tokenizer.pieceInside(1 << 40) == [])
        }
    }
}
