extension Tokenizer {
    /// A run of text, and whether special tokens in it are meant.
    package struct Segment {
        package let text: String
        package let isTrusted: Bool

        package init(text: String, isTrusted: Bool) {
            self.text = text
            self.isTrusted = isTrusted
        }
    }

    /// The tokens of segments put together: special tokens are parsed only where they stand whole inside trusted text.
    ///
    /// All other text is cut up as if the segments were one, since a word may cross from one into the next.
    package func encode(_ segments: [Segment]) -> [Int] {
        var tokens: [Int] = []
        var pending: [UInt8] = []
        var scratch = Scratch()
        func flush() {
            encode(pending, special: false, isFirst: tokens.isEmpty, &scratch, into: &tokens)
            pending = []
        }
        for segment in segments {
            let bytes = Array(segment.text.utf8)
            guard segment.isTrusted else {
                pending += bytes
                continue
            }
            for part in rawTokens.segments(bytes.span, 0..<bytes.count, special: true) {
                if let id = part.id {
                    flush()
                    tokens.append(id)
                } else {
                    pending += bytes[part.range]
                }
            }
        }
        flush()
        return tokens
    }
}
