/// The regular expressions of tokenizers that cut numbers and Chinese before, and count marks among the letters.
///
///     [!-/:-~][A-Za-z]+                          a sign of ASCII and letters behind it
///     |[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+      words
///     | ?[\p{P}\p{S}]+[\r\n]*                    signs; or without the line ends
///     |\s*[\r\n]+                                or each line end on its own
///     |\s+(?!\S)|\s+
///
/// Numbers and control characters match nothing: what lies between matches is a piece, too.
struct MarkedPattern: Sendable, Equatable {
    /// Line ends belong to signs before them and to each other.
    var joinsLineEnds: Bool

    func end(_ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses) -> Int {
        if let end = match(bytes, from: start, limit: limit, classes) { return end }
        var end = start + DecodedScalar(bytes, at: start, limit: limit).length
        while end < limit, match(bytes, from: end, limit: limit, classes) == nil {
            end += DecodedScalar(bytes, at: end, limit: limit).length
        }
        return end
    }

    private func match(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> Int? {
        let first = DecodedScalar(bytes, at: start, limit: limit)
        let second = start + first.length
        let found = classes[first.value]
        let isSign = first.value > 0x20 && first.value < 0x7F && !found.isAny(of: Self.word | CharacterClass.number)
        if isSign, second < limit, Self.isLatin(bytes[second]) {
            var end = second
            while end < limit, Self.isLatin(bytes[end]) { end += 1 }
            return end
        }
        if found.isAny(of: Self.word) { return run(Self.word, bytes, from: second, limit: limit, classes) }
        let isLineEnd = first.value == 0x0A || first.value == 0x0D
        let next = second < limit ? classes[DecodedScalar(bytes, at: second, limit: limit).value] : nil
        if let next, !isLineEnd, !found.isAny(of: Self.sign), next.isAny(of: Self.word) {
            return run(Self.word, bytes, from: second, limit: limit, classes)
        }
        if found.isAny(of: Self.sign) || first.value == 0x20 && next?.isAny(of: Self.sign) == true {
            var end = run(Self.sign, bytes, from: second, limit: limit, classes)
            while joinsLineEnds, end < limit, bytes[end] == 0x0A || bytes[end] == 0x0D { end += 1 }
            return end
        }
        if isLineEnd && !joinsLineEnds { return second }
        guard found.isSpace else { return nil }
        return spacesEnd(bytes, from: start, limit: limit, joinsLineEnds: joinsLineEnds, classes)
    }

    private static let word = CharacterClass.letter | CharacterClass.mark
    private static let sign = CharacterClass.punctuation | CharacterClass.symbol

    private static func isLatin(_ byte: UInt8) -> Bool { 0x41...0x5A ~= byte || 0x61...0x7A ~= byte }

    private func run(
        _ flags: UInt16, _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> Int {
        var end = start
        while end < limit {
            let scalar = DecodedScalar(bytes, at: end, limit: limit)
            if !classes[scalar.value].isAny(of: flags) { break }
            end += scalar.length
        }
        return end
    }
}
