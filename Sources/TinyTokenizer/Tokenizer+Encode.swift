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

    /// The tokens of a text in UTF-8. What is not UTF-8 is tokenized byte by byte where the vocabulary has bytes.
    package func encode(utf8 bytes: [UInt8], special: Bool = false) -> [Int] {
        var scratch = Scratch()
        var output: [Int] = []
        output.reserveCapacity(bytes.count / 3)
        encode(bytes, special: special, isFirst: true, &scratch, into: &output)
        return output
    }

    /// Memory that the words of a text share.
    struct Scratch {
        var bytePair = BytePair.Scratch()
        var unigram = Unigram.Scratch()
    }

    /// - Parameters:
    ///   - isFirst: whether nothing stands in front of this text.
    ///   - hidden: tokens that count as special, whatever the file says of them.
    func encode(
        _ bytes: [UInt8], special: Bool, isFirst: Bool, hidden: Set<Int> = [], _ scratch: inout Scratch,
        into output: inout [Int]
    ) {
        for segment in rawTokens.segments(bytes.span, 0..<bytes.count, special: special, hidden: hidden) {
            if let id = segment.id {
                output.append(id)
                continue
            }
            let normalized = normalizer.apply(bytes, segment.range)
            let text = normalized ?? bytes
            let range = normalized.map { 0..<$0.count } ?? segment.range
            for part in normalizedTokens.segments(text.span, range, special: special, hidden: hidden) {
                if let id = part.id {
                    output.append(id)
                } else {
                    let isFirst =
                        isFirst && segment.range.lowerBound == 0 && part.range.lowerBound == range.lowerBound
                    encodePlain(text, part.range, isFirst: isFirst, &scratch, into: &output)
                }
            }
        }
    }

    /// Text without added tokens: cut into words, and each word into tokens.
    private func encodePlain(
        _ bytes: [UInt8], _ range: Range<Int>, isFirst: Bool, _ scratch: inout Scratch, into output: inout [Int]
    ) {
        let classes = CharacterClasses.shared
        var cursor = CutCursor(preTokenizer.before, over: range)
        let span = bytes.span
        if preTokenizer.change == nil {
            while let word = cursor.next(span, classes) { encodeWord(span, word, &scratch, into: &output) }
            return
        }
        while let piece = cursor.next(span, classes) {
            let isFirst = isFirst && piece.lowerBound == range.lowerBound
            if let changed = preTokenizer.changed(span, piece, isFirst: isFirst) {
                encodeAfterChange(changed.span, 0..<changed.count, &scratch, into: &output)
            } else {
                encodeAfterChange(span, piece, &scratch, into: &output)
            }
        }
    }

    private func encodeAfterChange(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ scratch: inout Scratch, into output: inout [Int]
    ) {
        var cursor = CutCursor(preTokenizer.after, over: range)
        while let word = cursor.next(bytes, .shared) { encodeWord(bytes, word, &scratch, into: &output) }
    }

    @inline(__always)
    private func encodeWord(
        _ bytes: borrowing Span<UInt8>, _ word: Range<Int>, _ scratch: inout Scratch, into output: inout [Int]
    ) {
        switch model {
        case .bytePair(let bytePair):
            var position = word.lowerBound
            while position < word.upperBound {
                let part = seams.part(bytes, from: position, limit: word.upperBound)
                if let id = part.id {
                    output.append(id)
                } else {
                    bytePair.encode(bytes, position..<part.end, pieces, &scratch.bytePair, into: &output)
                }
                position = part.end
            }
        case .wordPiece(let wordPiece): wordPiece.encode(bytes, word, into: &output)
        case .unigram(let unigram): unigram.encode(bytes, word, &scratch.unigram, into: &output)
        }
    }
}
