/// Regular expressions that are one run of characters: `\p{N}{1,3}`, ` ?[^…]+`. What lies between matches is a piece, too.
struct RunPattern: Sendable, Equatable {
    enum Members: Sendable {
        /// `\p{N}`
        case numbers
        /// `[0-9]`
        case asciiDigits
        /// `[一-龥぀-ゟ゠-ヿ]`: Chinese characters and Japanese syllables.
        case chinese
        /// `[^(\s|[.,!?…。，、।۔،])]`: neither white space nor the marks that end or part sentences.
        case betweenStops
    }

    var members: Members
    var minimum = 1
    var maximum = Int.max
    /// One space in front belongs to the run.
    var takesSpace = false

    func end(_ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses) -> Int {
        if let end = match(bytes, from: start, limit: limit, classes) { return end }
        var end = start + DecodedScalar(bytes, at: start, limit: limit).length
        while end < limit, match(bytes, from: end, limit: limit, classes) == nil {
            end += DecodedScalar(bytes, at: end, limit: limit).length
        }
        return end
    }

    private func match(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> Int? {
        var end = takesSpace && bytes[start] == 0x20 ? start + 1 : start
        var count = 0
        while count < maximum, end < limit {
            let scalar = DecodedScalar(bytes, at: end, limit: limit)
            if !holds(scalar.value, classes) { break }
            end += scalar.length
            count += 1
        }
        return count >= minimum ? end : nil
    }

    @inline(__always)
    private func holds(_ scalar: UInt32, _ classes: CharacterClasses) -> Bool {
        switch members {
        case .numbers: return classes[scalar].isNumber
        case .asciiDigits: return 0x30...0x39 ~= scalar
        case .chinese: return 0x4E00...0x9FA5 ~= scalar || 0x3040...0x30FF ~= scalar
        case .betweenStops:
            switch scalar {
            case 0x28, 0x29, 0x7C, 0x2E, 0x2C, 0x21, 0x3F, 0x2026, 0x3002, 0xFF0C, 0x3001, 0x964, 0x6D4, 0x60C:
                return false
            default: return !classes[scalar].isSpace
            }
        }
    }
}
