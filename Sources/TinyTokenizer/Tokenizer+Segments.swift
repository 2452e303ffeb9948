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
    ///
    /// - Parameter control: tokens that are not to be met in untrusted text, though the file does not call them special.
    package func encode(_ segments: [Segment], control: Set<Int> = []) -> [Int] {
        var tokens: [Int] = []
        var pending: [UInt8] = []
        var scratch = Scratch()
        func flush() {
            encode(pending, special: false, isFirst: tokens.isEmpty, hidden: control, &scratch, into: &tokens)
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
                    continue
                }
                // Of those that are searched in normalized text only what untrusted text must not hold: the others are
                // found when the text around them is known.
                for part in normalizedTokens.segments(bytes.span, part.range, special: true) {
                    if let id = part.id, isSpecial(id) || control.contains(id) {
                        flush()
                        tokens.append(id)
                    } else {
                        pending += bytes[part.range]
                    }
                }
            }
        }
        flush()
        return tokens
    }

    /// The added tokens that a text mentions, but for those of white space: in a chat template's own words these steer
    /// the model, `<tool_call>` for one, even where the file does not call them special.
    package func controlTokens(in text: String) -> Set<Int> {
        let bytes = Array(text.utf8)
        let mentioned = rawTokens.mentioned(in: bytes.span) + normalizedTokens.mentioned(in: bytes.span)
        return Set(mentioned.lazy.filter { !$0.text.allSatisfy(\.isWhitespace) }.map(\.id))
    }
}
