/// Text from tokens as they come: each call gives what is new, and only whole characters.
///
/// A token may end inside a character. Its bytes wait until the next token completes them, or makes sure that nothing
/// can. Whatever was given, joined, equals `Tokenizer.decode` of all the tokens at once.
///
///     var stream = TextStream(tokenizer)
///     for token in tokens { print(stream.append(token), terminator: "") }
///     print(stream.finish())
public struct TextStream: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecial: Bool
    private var decoding: Decoding
    /// The beginning of a character: at most three bytes between calls.
    private var waiting: [UInt8] = []

    public init(_ tokenizer: Tokenizer, skipSpecial: Bool = false) {
        self.tokenizer = tokenizer
        self.skipSpecial = skipSpecial
        decoding = Decoding(tokenizer.decoder)
    }

    /// What this token adds. A token without a piece adds nothing: models have more rows than their tokenizers have
    /// tokens, and may sample one.
    public mutating func append(_ token: Int) -> String {
        guard let bytes = tokenizer.pieces.bytes(of: token) else { return "" }
        if tokenizer.isSkipped(token, skipSpecial) { return "" }
        return append(bytes: decoding.append(token, tokenizer.pieces.kind(of: token), bytes))
    }

    mutating func append(bytes: some Collection<UInt8>) -> String {
        waiting.append(contentsOf: bytes)
        let whole = waiting.count - unfinishedCount(waiting)
        let text = String(decoding: waiting[..<whole], as: UTF8.self)
        waiting.removeFirst(whole)
        return text
    }

    /// What was waiting for an end that did not come, as U+FFFD. The stream can go on after it.
    public mutating func finish() -> String {
        waiting += decoding.finish()
        defer { waiting.removeAll() }
        return String(decoding: waiting, as: UTF8.self)
    }
}

/// How many bytes at the end are the valid beginning of a character that lacks some.
func unfinishedCount(_ bytes: [UInt8]) -> Int {
    for count in 1...3 where count <= bytes.count {
        let lead = bytes[bytes.count - count]
        if lead & 0xC0 == 0x80 { continue }
        let needed =
            switch lead {
            case 0xC2...0xDF: 2
            case 0xE0...0xEF: 3
            case 0xF0...0xF4: 4
            default: 1
            }
        if needed <= count { return 0 }
        if count == 1 { return 1 }
        // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
        let second = bytes[bytes.count - count + 1]
        let isPossible =
            switch lead {
            case 0xE0: second >= 0xA0
            case 0xED: second <= 0x9F
            case 0xF0: second >= 0x90
            case 0xF4: second <= 0x8F
            default: true
            }
        return isPossible ? count : 0
    }
    return 0
}
