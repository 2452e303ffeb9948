/// What is done to a text before anything else: a file names the steps, each works on what the one before left.
struct Normalizer: Sendable {
    var steps: [Step]

    enum Step: Sendable {
        case form(NormalizationForm)
        case lowercase
        /// Leaves out combining marks.
        case stripAccents
        case wordPieces(WordPieceNormalizer)
        /// Puts a text in front of what is not empty.
        case prepend([UInt8])
        case replace([UInt8], with: [UInt8])
        /// `\s+` or ` {2,}`: runs of white space, or of spaces, of some length.
        case replaceSpaces(onlyBlanks: Bool, minimum: Int, with: [UInt8])
        case strip(left: Bool, right: Bool)
        case map(CharacterMap)
        case sentencePiece(SentencePieceNormalizer)
    }

    static let none = Normalizer(steps: [])
    /// NFC: letters and their marks become one character where Unicode has it.
    static let canonicalComposition = Normalizer(steps: [.form(.composed)])

    /// The normalized text; nil if it is the text as it was.
    func apply(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8]? {
        var text: [UInt8]?
        for step in steps {
            if let current = text {
                text = step.apply(current.span, 0..<current.count) ?? current
            } else {
                text = step.apply(bytes.span, range)
            }
        }
        return text
    }
}

extension Normalizer.Step {
    func apply(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        switch self {
        case .form(let form): Normalization.shared.apply(form, bytes, range)
        case .lowercase: lowercased(bytes, range)
        case .stripAccents: without(CharacterClass.combining, bytes, range)
        case .wordPieces(let normalizer): normalizer.apply(bytes, range)
        case .prepend(let text): prepended(text, bytes, range)
        case .replace(let old, let new): replaced(old, new, bytes, range)
        case .replaceSpaces(let onlyBlanks, let minimum, let new):
            spacesReplaced(onlyBlanks: onlyBlanks, minimum: minimum, new, bytes, range)
        case .strip(let left, let right): stripped(left: left, right: right, bytes, range)
        case .map(let map): map.normalizedByCharacters(bytes, range)
        case .sentencePiece(let normalizer): normalizer.apply(bytes, range)
        }
    }
}

/// Each character by itself: a last sigma is like any other, as the Python package `tokenizers` has it.
func lowercased(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
    let mapping = ScalarMapping.lowerCases
    var output: [UInt8] = []
    output.reserveCapacity(range.count)
    var position = range.lowerBound
    while position < range.upperBound {
        let byte = bytes[position]
        if byte < 0x80 {
            output.append(0x41...0x5A ~= byte ? byte | 0x20 : byte)
            position += 1
            continue
        }
        let scalar = DecodedScalar(bytes, at: position, limit: range.upperBound)
        if !(0x3000..<0xA000 ~= scalar.value), let lower = mapping[scalar.value] {
            for value in lower { output.append(scalar: value) }
        } else {
            output.append(bytes, position..<position + scalar.length)
        }
        position += scalar.length
    }
    return output
}

/// Without the characters that have a flag.
func without(_ flags: UInt16, _ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
    let classes = CharacterClasses.shared
    var output: [UInt8] = []
    output.reserveCapacity(range.count)
    var position = range.lowerBound
    while position < range.upperBound {
        let scalar = DecodedScalar(bytes, at: position, limit: range.upperBound)
        if !classes[scalar.value].isAny(of: flags) { output.append(bytes, position..<position + scalar.length) }
        position += scalar.length
    }
    return output
}

private func prepended(_ text: [UInt8], _ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
    if range.isEmpty { return nil }
    var output = text
    output.append(bytes, range)
    return output
}

private func replaced(
    _ old: [UInt8], _ new: [UInt8], _ bytes: borrowing Span<UInt8>, _ range: Range<Int>
) -> [UInt8]? {
    guard let first = old.first else { return nil }
    var output: [UInt8] = []
    output.reserveCapacity(range.count + range.count / 4)
    var position = range.lowerBound
    while position < range.upperBound {
        if bytes[position] == first, matches(old, bytes, at: position, limit: range.upperBound) {
            output.append(contentsOf: new)
            position += old.count
        } else {
            output.append(bytes[position])
            position += 1
        }
    }
    return output
}

func matches(_ text: [UInt8], _ bytes: borrowing Span<UInt8>, at position: Int, limit: Int) -> Bool {
    guard limit - position >= text.count else { return false }
    for offset in text.indices where bytes[position + offset] != text[offset] { return false }
    return true
}

private func spacesReplaced(
    onlyBlanks: Bool, minimum: Int, _ new: [UInt8], _ bytes: borrowing Span<UInt8>, _ range: Range<Int>
) -> [UInt8] {
    let classes = CharacterClasses.shared
    var output: [UInt8] = []
    output.reserveCapacity(range.count)
    var position = range.lowerBound
    while position < range.upperBound {
        let start = position
        var count = 0
        while position < range.upperBound {
            let scalar = DecodedScalar(bytes, at: position, limit: range.upperBound)
            guard onlyBlanks ? scalar.value == 0x20 : classes[scalar.value].isSpace else { break }
            position += scalar.length
            count += 1
        }
        if count >= minimum { output.append(contentsOf: new) } else { output.append(bytes, start..<position) }
        guard position < range.upperBound else { break }
        let scalar = DecodedScalar(bytes, at: position, limit: range.upperBound)
        output.append(bytes, position..<position + scalar.length)
        position += scalar.length
    }
    return output
}

private func stripped(
    left: Bool, right: Bool, _ bytes: borrowing Span<UInt8>, _ range: Range<Int>
) -> [UInt8]? {
    let classes = CharacterClasses.shared
    var (start, end) = (range.lowerBound, range.upperBound)
    while left, start < end {
        let scalar = DecodedScalar(bytes, at: start, limit: end)
        if !classes[scalar.value].isSpace { break }
        start += scalar.length
    }
    while right, start < end {
        let scalar = DecodedScalar(bytes, endingAt: end, start: start)
        if !classes[scalar.value].isSpace { break }
        end -= scalar.length
    }
    if start..<end == range { return nil }
    var output: [UInt8] = []
    output.append(bytes, start..<end)
    return output
}
