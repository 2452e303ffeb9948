/// Cuts a text into the words that are tokenized each for itself.
///
/// A file names a sequence of steps; each step cuts every piece of the one before. One of them may change the text it
/// gets: put a space in front, write spaces as marks.
struct PreTokenizer: Sendable {
    var before: [Cut]
    var change: Change?
    /// Cuts of the changed text.
    var after: [Cut] = []

    enum Change: Sendable, Equatable {
        /// A space in front of a piece that does not begin with one (`add_prefix_space`).
        case space
        case marks(SpaceMarks)
    }

    /// `Metaspace`: spaces are written as a mark, and a piece begins with one.
    struct SpaceMarks: Sendable, Equatable {
        enum Scheme: Sendable {
            case first, always, never
        }

        var mark = SentencePieceNormalizer.spaceMark
        var scheme: Scheme
    }

    init(steps: [Cut] = [], change: Change? = nil, after: [Cut] = []) {
        before = steps
        self.change = change
        self.after = after
    }

    /// A piece as the change wants it; nil if it stays as it is.
    ///
    /// - Parameter isFirst: whether the piece begins the text.
    func changed(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, isFirst: Bool) -> [UInt8]? {
        switch change {
        case nil: return nil
        case .space:
            if range.isEmpty || bytes[range.lowerBound] == 0x20 { return nil }
            var text: [UInt8] = [0x20]
            text.append(bytes, range)
            return text
        case .marks(let marks):
            if range.isEmpty { return nil }
            var text: [UInt8] = []
            text.reserveCapacity(range.count + range.count / 2)
            let beginsWithMark =
                bytes[range.lowerBound] == 0x20
                || matches(marks.mark, bytes, at: range.lowerBound, limit: range.upperBound)
            if !beginsWithMark && (marks.scheme == .always || marks.scheme == .first && isFirst) {
                text.append(contentsOf: marks.mark)
            }
            for index in range {
                if bytes[index] == 0x20 { text.append(contentsOf: marks.mark) } else { text.append(bytes[index]) }
            }
            return text
        }
    }
}

/// One step that cuts a text into pieces, some of which it may leave out.
enum Cut: Sendable, Equatable {
    /// Numbers on their own: each digit, or each run of digits.
    case digits(individually: Bool)
    /// The same on text in the byte alphabet, in which six bytes are written as small numbers and fractions.
    case byteDigits(individually: Bool)
    case pattern(SplitPattern)
    case marked(MarkedPattern)
    case runs(RunPattern)
    /// `\s+$`: the white space that ends a piece, on its own.
    case trailingSpace
    /// White space separates, and is left out.
    case whitespace
    /// Each punctuation mark on its own, or each run of them.
    case punctuation(together: Bool)
    /// `\w+|[^\w\s]+`, without what is between.
    case words
    /// CLIP's words, without what is between.
    case caseless
    /// Behind each occurrence of a text.
    case behind([UInt8])
    /// In front of each occurrence of a text.
    case inFront([UInt8])
}

/// A place in the text, with the end of the piece that each step is in.
struct CutCursor {
    static let stepLimit = 8

    private let steps: [Cut]
    private var position: Int
    private let limit: Int
    private var ends: [8 of Int]
    private var kept = [8 of Bool](repeating: true)

    /// - Precondition: `steps.count <= CutCursor.stepLimit`.
    init(_ steps: [Cut], over range: Range<Int>) {
        precondition(steps.count <= Self.stepLimit, "\(steps.count) steps")
        self.steps = steps
        position = range.lowerBound
        limit = range.upperBound
        ends = [8 of Int](repeating: range.lowerBound)
    }

    /// The next piece, or nil at the end. Without steps it is the whole range.
    mutating func next(_ bytes: borrowing Span<UInt8>, _ classes: CharacterClasses) -> Range<Int>? {
        while position < limit {
            let start = position
            var end = limit
            var isKept = true
            for index in steps.indices {
                if ends[index] == start {
                    (ends[index], kept[index]) = steps[index].piece(bytes, from: start, limit: end, classes)
                }
                end = ends[index]
                if !kept[index] {
                    isKept = false
                    // Nobody looks into what is left out.
                    for inner in (index + 1)..<max(index + 1, steps.count) { ends[inner] = end }
                    break
                }
            }
            position = end
            if isKept { return start..<end }
        }
        return nil
    }
}

extension Cut {
    /// Where the piece that begins at `start` ends, and whether it is kept. What stands at `limit` is not looked at.
    @inline(__always)
    func piece(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> (end: Int, isKept: Bool) {
        switch self {
        case .pattern(let pattern): (pattern.end(bytes, from: start, limit: limit, classes), true)
        case .digits(let individually):
            (
                runEnd(bytes, from: start, limit: limit, alone: individually) { classes[$0.value].isNumeric },
                true
            )
        case .byteDigits(let individually):
            (byteDigitsEnd(bytes, from: start, limit: limit, individually: individually), true)
        case .marked(let pattern): (pattern.end(bytes, from: start, limit: limit, classes), true)
        case .runs(let pattern): (pattern.end(bytes, from: start, limit: limit, classes), true)
        case .trailingSpace: (trailingSpaceEnd(bytes, from: start, limit: limit, classes), true)
        case .whitespace:
            (
                runEnd(bytes, from: start, limit: limit, alone: false) { classes[$0.value].isSpace },
                !classes[DecodedScalar(bytes, at: start, limit: limit).value].isSpace
            )
        case .punctuation(let together):
            (
                runEnd(bytes, from: start, limit: limit, alone: !together) {
                    classes[$0.value].isAny(of: CharacterClass.isolated)
                }, true
            )
        case .words: wordsPiece(bytes, from: start, limit: limit, classes)
        case .caseless: caselessPiece(bytes, from: start, limit: limit, classes)
        case .behind(let text): (end(behind: text, bytes, from: start, limit: limit), true)
        case .inFront(let text): (end(inFrontOf: text, bytes, from: start, limit: limit), true)
        }
    }

    /// The end of the run of characters that all hold or all do not; where `alone`, each that holds is a run.
    @inline(__always)
    private func runEnd(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, alone: Bool, _ holds: (DecodedScalar) -> Bool
    ) -> Int {
        let first = DecodedScalar(bytes, at: start, limit: limit)
        let isHeld = holds(first)
        var end = start + first.length
        if isHeld && alone { return end }
        while end < limit {
            let scalar = DecodedScalar(bytes, at: end, limit: limit)
            if holds(scalar) != isHeld { break }
            end += scalar.length
        }
        return end
    }

    private func trailingSpaceEnd(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> Int {
        var end = limit
        while end > start {
            let scalar = DecodedScalar(bytes, endingAt: end, start: start)
            if !classes[scalar.value].isSpace { break }
            end -= scalar.length
        }
        return end == start ? limit : end
    }

    private func byteDigitsEnd(_ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, individually: Bool) -> Int {
        func isNumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0xB2, 0xB3, 0xB9, 0xBC...0xBE: true
            default: false
            }
        }
        var end = start + 1
        let isHeld = isNumeric(bytes[start])
        if isHeld && individually { return end }
        while end < limit, isNumeric(bytes[end]) == isHeld { end += 1 }
        return end
    }

    private func wordsPiece(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> (end: Int, isKept: Bool) {
        func kind(_ found: CharacterClass) -> Int { found.isWord ? 1 : found.isSpace ? 0 : 2 }
        let first = kind(classes[DecodedScalar(bytes, at: start, limit: limit).value])
        return (
            runEnd(bytes, from: start, limit: limit, alone: false) { kind(classes[$0.value]) == first }, first > 0
        )
    }

    /// `'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+`
    private func caselessPiece(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> (end: Int, isKept: Bool) {
        if bytes[start] == 0x27, let end = contractionEnd(bytes, from: start + 1, limit: limit, anyCase: false) {
            return (end, true)
        }
        let first = classes[DecodedScalar(bytes, at: start, limit: limit).value]
        if first.isSpace {
            return (runEnd(bytes, from: start, limit: limit, alone: false) { classes[$0.value].isSpace }, false)
        }
        if first.isLetter {
            return (runEnd(bytes, from: start, limit: limit, alone: false) { classes[$0.value].isLetter }, true)
        }
        if first.isNumber { return (start + DecodedScalar(bytes, at: start, limit: limit).length, true) }
        return (runEnd(bytes, from: start, limit: limit, alone: false) { classes[$0.value].isSymbol }, true)
    }

    private func end(behind text: [UInt8], _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int) -> Int {
        var end = start
        while end < limit {
            if matches(text, bytes, at: end, limit: limit) { return end + text.count }
            end += 1
        }
        return end
    }

    private func end(inFrontOf text: [UInt8], _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int) -> Int {
        var end = start + 1
        if matches(text, bytes, at: start, limit: limit) { end = start + text.count }
        while end < limit, !matches(text, bytes, at: end, limit: limit) { end += 1 }
        return end
    }
}
