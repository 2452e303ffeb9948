/// Cuts a text into the words that are tokenized each for itself.
///
/// A file names a sequence of steps; each step cuts every piece of the one before. `next` walks all steps at once, so
/// that no list of pieces is made.
struct PreTokenizer: Sendable, Equatable {
    var steps: [Step]
    /// A space is put in front of a text that does not begin with one (`add_prefix_space`).
    var addsSpace = false

    enum Step: Sendable, Equatable {
        /// Numbers on their own: each digit, or each run of digits.
        case digits(individually: Bool)
        case pattern(SplitPattern)
    }

    init(steps: [Step], addsSpace: Bool = false) {
        self.steps = steps
        self.addsSpace = addsSpace
    }

    /// A place in the text, with the end of the piece that each step is in.
    struct Cursor {
        fileprivate var position: Int
        fileprivate var ends: [Int]
        fileprivate let limit: Int
    }

    func cursor(over range: Range<Int>) -> Cursor {
        Cursor(
            position: range.lowerBound, ends: Array(repeating: range.lowerBound, count: steps.count),
            limit: range.upperBound)
    }

    /// The next piece, or nil at the end. A pre-tokenizer without steps gives the whole range.
    func next(_ bytes: borrowing Span<UInt8>, _ cursor: inout Cursor, _ classes: CharacterClasses) -> Range<Int>? {
        let start = cursor.position
        guard start < cursor.limit else { return nil }
        var end = cursor.limit
        for index in steps.indices {
            if cursor.ends[index] == start {
                cursor.ends[index] =
                    switch steps[index] {
                    case .digits(let individually):
                        digitsEnd(bytes, from: start, limit: end, individually: individually, classes)
                    case .pattern(let pattern):
                        pattern.end(bytes, from: start, limit: end, classes)
                    }
            }
            end = cursor.ends[index]
        }
        cursor.position = end
        return start..<end
    }
}

private func digitsEnd(
    _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, individually: Bool, _ classes: CharacterClasses
) -> Int {
    let first = DecodedScalar(bytes, at: start, limit: limit)
    let isNumeric = classes[first.value].isNumeric
    var end = start + first.length
    if isNumeric && individually { return end }
    while end < limit {
        let scalar = DecodedScalar(bytes, at: end, limit: limit)
        if classes[scalar.value].isNumeric != isNumeric { break }
        end += scalar.length
    }
    return end
}
