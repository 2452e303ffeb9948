/// A token that is cut out of the text before the text is tokenized.
package struct AddedToken: Sendable, Equatable {
    package var id: Int
    package var text: String
    package var isSpecial: Bool
    /// Takes the white space in front of it, or behind it, into itself.
    package var stripsLeft: Bool
    package var stripsRight: Bool
    /// Counts only where no word character touches it.
    package var isSingleWord: Bool
    /// Is searched in the normalized text, after those that are searched in the text as it is.
    package var isNormalized: Bool

    package init(
        id: Int, text: String, isSpecial: Bool, stripsLeft: Bool = false, stripsRight: Bool = false,
        isSingleWord: Bool = false, isNormalized: Bool = false
    ) {
        self.id = id
        self.text = text
        self.isSpecial = isSpecial
        self.stripsLeft = stripsLeft
        self.stripsRight = stripsRight
        self.isSingleWord = isSingleWord
        self.isNormalized = isNormalized
    }
}

/// Finds added tokens in a text: from the left, the longest that begins at a place.
struct AddedTokenMatcher: Sendable {
    /// A part of the text that is an added token, or that lies between two.
    struct Segment: Equatable {
        let range: Range<Int>
        let id: Int?
    }

    private var tokens: [AddedToken] = []
    /// From the tokens' texts to their places in `tokens`.
    private var trie = ByteTrie()

    /// - Parameters:
    ///   - tokens: none of them with an empty text.
    ///   - normalizer: what the tokens' own texts go through first.
    init(_ tokens: [AddedToken], normalizer: Normalizer = .none) {
        self.tokens = tokens
        for (index, token) in tokens.enumerated() {
            let raw = Array(token.text.utf8)
            let text = normalizer.apply(raw, 0..<raw.count) ?? raw
            // A normalizer may leave nothing of a token, or the same of two: such a token is never met.
            _ = trie.insert(text, value: Int32(index))
        }
    }

    /// The text in `range`, cut into added tokens and what lies between them.
    ///
    /// - Parameters:
    ///   - special: whether special tokens count. Where not, they still hide the tokens inside them, as the Python package
    ///     `tokenizers` has it with `encode_special_tokens`.
    ///   - hidden: further tokens that count as special.
    func segments(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, special: Bool, hidden: Set<Int> = []
    ) -> [Segment] {
        if range.isEmpty { return [] }
        if tokens.isEmpty { return [Segment(range: range, id: nil)] }
        var segments: [Segment] = []
        var done = range.lowerBound
        var position = range.lowerBound
        while position < range.upperBound {
            guard let match = trie.longest(bytes, at: position, limit: range.upperBound) else {
                position += 1
                continue
            }
            let token = tokens[match.value]
            var start = position
            var end = match.end
            position = match.end
            if !special, token.isSpecial || hidden.contains(token.id) { continue }
            if token.isSingleWord && touchesWord(bytes, start..<end, in: range) { continue }
            let classes = CharacterClasses.shared
            if token.stripsLeft {
                while start > done {
                    let scalar = DecodedScalar(bytes, endingAt: start, start: done)
                    if !classes[scalar.value].isSpace { break }
                    start -= scalar.length
                }
            }
            if token.stripsRight {
                while end < range.upperBound {
                    let scalar = DecodedScalar(bytes, at: end, limit: range.upperBound)
                    if !classes[scalar.value].isSpace { break }
                    end += scalar.length
                }
            }
            if done < start { segments.append(Segment(range: done..<start, id: nil)) }
            segments.append(Segment(range: start..<end, id: token.id))
            done = end
        }
        if done < range.upperBound { segments.append(Segment(range: done..<range.upperBound, id: nil)) }
        return segments
    }

    /// The tokens that a text mentions anywhere.
    func mentioned(in bytes: borrowing Span<UInt8>) -> [AddedToken] {
        if tokens.isEmpty { return [] }
        return (0..<bytes.count).compactMap { position in
            trie.longest(bytes, at: position, limit: bytes.count).map { tokens[$0.value] }
        }
    }

    private func touchesWord(_ bytes: borrowing Span<UInt8>, _ match: Range<Int>, in range: Range<Int>) -> Bool {
        let classes = CharacterClasses.shared
        if match.lowerBound > range.lowerBound {
            let before = DecodedScalar(bytes, endingAt: match.lowerBound, start: range.lowerBound)
            if classes[before.value].isWord { return true }
        }
        if match.upperBound < range.upperBound {
            let after = DecodedScalar(bytes, at: match.upperBound, limit: range.upperBound)
            if classes[after.value].isWord { return true }
        }
        return false
    }
}
