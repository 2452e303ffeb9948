extension Tokenizer {
    /// The tokens of a text.
    ///
    /// - Parameters:
    ///   - text: nothing is added in front of it or behind it.
    ///   - special: whether the text of a special token, such as `<|im_end|>`, becomes that token. If not, which is right
    ///     for text that a user wrote, it is cut up like any other text.
    public func encode(_ text: String, special: Bool = false) -> [Int] {
        encode(utf8: Array(text.utf8), special: special)
    }

    /// The tokens of a text, with what the file wants in front of every text, unless it stands there already.
    package func encodePrompt(_ text: String, special: Bool = false) -> [Int] {
        let tokens = encode(text, special: special)
        return tokens.starts(with: opening) ? tokens : opening + tokens
    }

    /// The tokens of a text in UTF-8. What is not UTF-8 is tokenized byte by byte.
    package func encode(utf8 bytes: [UInt8], special: Bool = false) -> [Int] {
        var output: [Int] = []
        output.reserveCapacity(bytes.count / 3)
        var scratch = BytePair.Scratch()
        for segment in rawTokens.segments(bytes.span, 0..<bytes.count, special: special) {
            if let id = segment.id {
                output.append(id)
                continue
            }
            let normalized = normalizer.apply(bytes, segment.range)
            let text = normalized ?? bytes
            let range = normalized.map { 0..<$0.count } ?? segment.range
            for part in normalizedTokens.segments(text.span, range, special: special) {
                if let id = part.id {
                    output.append(id)
                } else {
                    encodePlain(text, part.range, &scratch, into: &output)
                }
            }
        }
        return output
    }

    /// Text without added tokens: cut into words, and each word into tokens.
    private func encodePlain(
        _ bytes: [UInt8], _ range: Range<Int>, _ scratch: inout BytePair.Scratch, into output: inout [Int]
    ) {
        if preTokenizer.addsSpace, bytes[range.lowerBound] != 0x20 {
            let spaced = [0x20] + bytes[range]
            encodeWords(spaced.span, 0..<spaced.count, &scratch, into: &output)
        } else {
            encodeWords(bytes.span, range, &scratch, into: &output)
        }
    }

    private func encodeWords(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ scratch: inout BytePair.Scratch,
        into output: inout [Int]
    ) {
        let classes = CharacterClasses.shared
        var cursor = preTokenizer.cursor(over: range)
        while let word = preTokenizer.next(bytes, &cursor, classes) {
            switch model {
            case .bytePair(let bytePair): bytePair.encode(bytes, word, pieces, &scratch, into: &output)
            }
        }
    }
}
