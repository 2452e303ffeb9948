import Testing
import TinyTestSupport

@testable import TinyTokenizer

/// Byte-level vocabularies lose nothing: what is decoded is what was encoded, at once or as a stream.
@Suite struct RoundTripTests {
    /// Debug builds are a hundred times slower; RoundTripCheck takes many more, with vocabularies of real size.
    static let count = 60

    static let names = [
        "classic", "groups-of-three", "composed", "digits", "cased", "cased-alone", "line-ends", "marked",
        "marked-lines", "stops", "punctuated", "qwen",
    ]

    @Test(arguments: names)
    func randomTexts(_ name: String) throws {
        let tokenizer = try TokenizerFixture(name).tokenizer
        var source = RandomTexts(seed: 7)
        for _ in 0..<Self.count {
            let text = source.next()
            let bytes = Array(text.utf8)
            // A file may want a text normalized first, which is the one thing that may change it.
            let expected = tokenizer.normalizer.apply(bytes, 0..<bytes.count) ?? bytes
            let tokens = tokenizer.encode(text)
            let decoded = try tokenizer.decode(tokens)
            #expect(decoded.utf8.elementsEqual(expected), "\(quoted(text))")
            var stream = TextStream(tokenizer)
            var streamed = ""
            for token in tokens { streamed += stream.append(token) }
            streamed += stream.finish()
            #expect(streamed.utf8.elementsEqual(decoded.utf8), "\(quoted(text))")
        }
    }

    /// Ids at random, which seldom are whole characters: a stream still says what decoding at once does.
    @Test(arguments: TokenizerFixture.names)
    func randomTokens(_ name: String) throws {
        let tokenizer = try TokenizerFixture(name).tokenizer
        var source = RandomTexts(seed: 11)
        for _ in 0..<Self.count / 4 {
            let tokens = (0..<source.below(24)).map { _ in source.below(tokenizer.count) }
                .filter { tokenizer.bytes(of: $0) != nil }
            var stream = TextStream(tokenizer)
            var streamed = ""
            for token in tokens { streamed += stream.append(token) }
            streamed += stream.finish()
            #expect(try streamed.utf8.elementsEqual(tokenizer.decode(tokens).utf8), "\(tokens)")
        }
    }
}
