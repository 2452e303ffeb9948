/// What BERT's vocabularies expect of a text: no control characters, Chinese characters on their own, no accents and no
/// capitals if the model was trained so.
///
/// Devlin et al. 2018, arXiv:1810.04805
struct WordPieceNormalizer: Sendable, Equatable {
    var cleansText = true
    var isolatesChinese = true
    var stripsAccents = true
    var lowercases = true

    func apply(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        var text: [UInt8] = []
        if cleansText || isolatesChinese {
            text = rewritten(bytes, range)
        } else {
            text.append(bytes, range)
        }
        if stripsAccents {
            text = Normalization.shared.apply(.decomposed, text.span, 0..<text.count) ?? text
            text = without(CharacterClass.nonspacing, text.span, 0..<text.count)
        }
        if lowercases { text = lowercased(text.span, 0..<text.count) }
        return text
    }

    private func rewritten(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        let classes = CharacterClasses.shared
        var output: [UInt8] = []
        output.reserveCapacity(range.count + range.count / 2)
        var position = range.lowerBound
        while position < range.upperBound {
            let scalar = DecodedScalar(bytes, at: position, limit: range.upperBound)
            let end = position + scalar.length
            let found = classes[scalar.value]
            if cleansText && found.isAny(of: CharacterClass.control) {
                // Left out.
            } else if cleansText && found.isSpace {
                output.append(0x20)
            } else if isolatesChinese && Self.isChinese(scalar.value) {
                output.append(0x20)
                output.append(bytes, position..<end)
                output.append(0x20)
            } else {
                output.append(bytes, position..<end)
            }
            position = end
        }
        return output
    }

    /// The blocks as `tokenizers` has them: its sixth begins 256 characters later than BERT's own.
    private static func isChinese(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
