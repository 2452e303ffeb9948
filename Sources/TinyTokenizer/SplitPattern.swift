/// The regular expressions of byte-level tokenizers, as one hand-written scanner with the options they differ by.
///
///     's|'t|'re|'ve|'m|'ll|'d           contractions, in lower case, in any, or none
///     | ?\p{L}+                          letters; or [^\r\n\p{L}\p{N}]?\p{L}+; or words by their case
///     | ?\p{N}+                          numbers; or \p{N}{1,3} or \p{N}
///     | ?[^\s\p{L}\p{N}]+                symbols; or ending in [\r\n]* or [\r\n/]*
///     |\s*[\r\n]+                        only where line ends belong together
///     |\s+(?!\S)|\s+                     white space, without the last character before a word
///
/// The first alternative that matches wins, as in a backtracking engine. Together they match any character, so the
/// pieces cover the text.
struct SplitPattern: Sendable, Equatable {
    enum Contractions: Sendable {
        case none, lowerCase
        /// `(?i:'s|…)`: any case, which in Unicode takes in the long s.
        case anyCase
    }

    enum Tail: Sendable {
        case nothing, lineEnds, lineEndsAndSlashes
    }

    var contractions = Contractions.anyCase
    /// A word takes one character in front that is no letter, number or line end; else only a space.
    var takesAnyPrefix = true
    /// What words are made of: `\p{L}`, or marks too. These are no symbols.
    var letters = CharacterClass.letter
    /// Words end where a capital follows a small letter, and take a contraction behind them.
    var casing: Casing?
    /// The most digits in a piece; nil for all of them, and then with a space in front.
    var digitLimit: Int?
    /// What belongs to the symbols before it.
    var symbolTail = Tail.lineEnds
    /// After white space, line ends belong to each other.
    var joinsLineEnds = true

    enum Casing: Sendable {
        case alone, withContractions
    }

    static let classic = SplitPattern(
        contractions: .lowerCase, takesAnyPrefix: false, symbolTail: .nothing, joinsLineEnds: false)

    static func modern(digits: Int) -> SplitPattern { SplitPattern(digitLimit: digits) }

    /// Where the piece that begins at `start` ends. What stands at `limit` or behind is not looked at.
    func end(_ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses) -> Int {
        let first = DecodedScalar(bytes, at: start, limit: limit)
        let second = start + first.length
        if first.value == 0x27, contractions != .none, casing == nil,
            let end = contractionEnd(bytes, from: second, limit: limit, anyCase: contractions == .anyCase)
        {
            return end
        }
        let firstClass = classes[first.value]
        if let casing {
            if let end = casedEnd(bytes, from: start, limit: limit, casing, classes) { return end }
        } else if firstClass.isAny(of: letters) {
            return runEnd(bytes, from: second, limit: limit, classes) { $0.isAny(of: letters) }
        }
        if firstClass.isNumber {
            return numbersEnd(bytes, from: second, limit: limit, classes)
        }

        // One character in front of a word.
        let isLineEnd = first.value == 0x0A || first.value == 0x0D
        let isSpaceCharacter = first.value == 0x20
        if second < limit, isSpaceCharacter || takesAnyPrefix && !isLineEnd {
            let next = DecodedScalar(bytes, at: second, limit: limit)
            let nextClass = classes[next.value]
            let third = second + next.length
            if casing == nil, nextClass.isAny(of: letters) {
                return runEnd(bytes, from: third, limit: limit, classes) { $0.isAny(of: letters) }
            }
            if isSpaceCharacter && nextClass.isNumber && digitLimit == nil {
                return numbersEnd(bytes, from: third, limit: limit, classes)
            }
            if isSpaceCharacter && isSymbol(nextClass) {
                return symbolsEnd(bytes, from: third, limit: limit, classes)
            }
        }
        if !firstClass.isSpace { return symbolsEnd(bytes, from: second, limit: limit, classes) }
        return spacesEnd(bytes, from: start, limit: limit, joinsLineEnds: joinsLineEnds, classes)
    }

    @inline(__always)
    private func isSymbol(_ found: CharacterClass) -> Bool {
        !found.isAny(of: letters | CharacterClass.number | CharacterClass.space)
    }

    // MARK: Runs

    @inline(__always)
    private func runEnd(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses,
        while holds: (CharacterClass) -> Bool
    ) -> Int {
        var end = start
        while end < limit {
            let scalar = DecodedScalar(bytes, at: end, limit: limit)
            if !holds(classes[scalar.value]) { break }
            end += scalar.length
        }
        return end
    }

    /// `\p{N}+` or `\p{N}{1,n}` behind its first digit.
    private func numbersEnd(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> Int {
        guard let digitLimit else { return runEnd(bytes, from: start, limit: limit, classes) { $0.isNumber } }
        var end = start
        var count = 1
        while count < digitLimit, end < limit {
            let scalar = DecodedScalar(bytes, at: end, limit: limit)
            if !classes[scalar.value].isNumber { break }
            end += scalar.length
            count += 1
        }
        return end
    }

    private func symbolsEnd(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> Int {
        var end = runEnd(bytes, from: start, limit: limit, classes) { isSymbol($0) }
        if symbolTail == .nothing { return end }
        while end < limit {
            let byte = bytes[end]
            guard byte == 0x0A || byte == 0x0D || byte == 0x2F && symbolTail == .lineEndsAndSlashes else { break }
            end += 1
        }
        return end
    }
}

/// `\s*[\r\n]+|\s+(?!\S)|\s+`, the first of them where line ends belong together.
func spacesEnd(
    _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, joinsLineEnds: Bool, _ classes: CharacterClasses
) -> Int {
    var end = start
    var last = start
    var lineEnd: Int?
    while end < limit {
        let scalar = DecodedScalar(bytes, at: end, limit: limit)
        if !classes[scalar.value].isSpace { break }
        last = end
        end += scalar.length
        if scalar.value == 0x0A || scalar.value == 0x0D { lineEnd = end }
    }
    // `\s*[\r\n]+` gives back what stands behind the last line end.
    if joinsLineEnds, let lineEnd { return lineEnd }
    // `\s+(?!\S)` gives back one character to the word that follows, unless it has no other.
    return end < limit && last > start ? last : end
}

/// Where a contraction ends whose apostrophe stands in front of `start`; nil if there is none.
func contractionEnd(_ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, anyCase: Bool) -> Int? {
    guard start < limit else { return nil }
    // In ASCII the lower case of a letter is one bit away, and no other character folds onto these letters.
    let caseBit: UInt8 = anyCase ? 0x20 : 0
    switch bytes[start] | caseBit {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
        return start + 1
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
        return start + 1 < limit && bytes[start + 1] | caseBit == UInt8(ascii: "e") ? start + 2 : nil
    case UInt8(ascii: "l"):
        return start + 1 < limit && bytes[start + 1] | caseBit == UInt8(ascii: "l") ? start + 2 : nil
    default:
        // U+017F, the long s, folds to s.
        let isLongS = anyCase && start + 1 < limit && bytes[start] == 0xC5 && bytes[start + 1] == 0xBF
        return isLongS ? start + 2 : nil
    }
}
