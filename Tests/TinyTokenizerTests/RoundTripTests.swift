import Testing

@testable import TinyTokenizer

/// Byte-level vocabularies lose nothing: what is decoded is what was encoded, at once or as a stream.
@Suite struct RoundTripTests {
    /// Debug builds are a hundred times slower; scripts/test runs this suite in release as well.
    #if DEBUG
        static let count = 60
    #else
        static let count = 10_000
    #endif

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

/// Texts of any code points, with those that tokenizers treat in some way more often than chance has them.
struct RandomTexts {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ (value >> 31)) % UInt64(limit))
    }

    mutating func next() -> String {
        var text = ""
        for _ in 0..<below(24) { text.unicodeScalars.append(scalar()) }
        return text
    }

    private mutating func scalar() -> Unicode.Scalar {
        let value =
            switch below(10) {
            case 0...2: 0x20 + below(0x5F)
            case 3: [0x0A, 0x0D, 0x09, 0x20, 0xA0, 0x3000, 0x85, 0x2028][below(8)]
            case 4: 0x80 + below(0x780)
            case 5: [0x300, 0x301, 0x327, 0x200D, 0xFE0F, 0x1F469, 0x1F3FD, 0x1100, 0x1161, 0x11A8][below(10)]
            case 6: 0x4E00 + below(0x5200)
            default: below(0x110000)
            }
        return Unicode.Scalar(UInt32(value)) ?? "\u{FFFD}"
    }
}
