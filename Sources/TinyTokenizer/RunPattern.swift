/// Regular expressions that are one run of characters: `\p{N}{1,3}`, ` ?[^…]+`. What lies between matches is a piece, too.
struct RunPattern: Sendable, Equatable {
    enum Members: Sendable {
        /// `\p{N}`
        case numbers
        /// `[0-9]`
        case asciiDigits
        /// `[一-龥぀-ゟ゠-ヿ]`: Chinese characters and Japanese syllables.
        case chinese
        /// `[\r\n]`
        case lineEnds
        /// `\p{L}`
        case letters
        /// `\p{P}`
        case punctuation
        /// `[A-Za-zµÀ-Ö…]`: letters that come in two cases, as a file lists them.
        case casedLetters
        /// `[!-/:-~！-／：-～‘-‟　-。]`
        case listedMarks
        /// `[一-龥ࠀ-一가-퟿]`
        case eastAsian
        /// `[^(\s|[.,!?…。，、।۔،])]`: neither white space nor the marks that end or part sentences.
        case betweenStops
    }

    /// What one character in front of the run may be that belongs to it.
    enum Front: Sendable {
        case nothing, space
        /// `\s?`
        case whiteSpace
    }

    var members: Members
    var minimum = 1
    var maximum = Int.max
    var front = Front.nothing

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
        var begin = start
        switch front {
        case .nothing: break
        case .space: if bytes[start] == 0x20 { begin += 1 }
        case .whiteSpace:
            let scalar = DecodedScalar(bytes, at: start, limit: limit)
            // One that is a member itself need not be told apart.
            if classes[scalar.value].isSpace, !holds(scalar.value, classes) { begin += scalar.length }
        }
        var end = begin
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
        case .lineEnds: return scalar == 0x0A || scalar == 0x0D
        case .letters: return classes[scalar].isLetter
        case .punctuation: return classes[scalar].isAny(of: CharacterClass.punctuation)
        case .casedLetters: return Self.casedLetters.contains(scalar)
        case .listedMarks:
            switch scalar {
            case 0x21...0x2F, 0x3A...0x7E, 0xFF01...0xFF0F, 0xFF1A...0xFF5E, 0x2018...0x201F, 0x3000...0x3002:
                return true
            default: return false
            }
        case .eastAsian: return 0x800...0x9FA5 ~= scalar || 0xAC00...0xD7FF ~= scalar
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

extension RunPattern {
    /// The published expression's list, which is one of a past version of Unicode's letters with two cases.
    static let casedLettersText =
        "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅ"
        + "ὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-"
        + "ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"

    /// The members of that list, by ranges.
    fileprivate static let casedLetters: ScalarRanges = ScalarRanges(characterList: casedLettersText)
}

/// Ranges of scalars in order.
struct ScalarRanges: Sendable {
    private var ranges: [ClosedRange<UInt32>] = []

    /// - Parameter text: characters, and ranges of them as `a-z`.
    init(characterList text: String) {
        let scalars = text.unicodeScalars.map(\.value)
        var index = 0
        while index < scalars.count {
            let isRange =
                index + 2 < scalars.count && scalars[index + 1] == 0x2D && scalars[index + 2] >= scalars[index]
            ranges.append(scalars[index]...(isRange ? scalars[index + 2] : scalars[index]))
            index += isRange ? 3 : 1
        }
        ranges.sort { $0.lowerBound < $1.lowerBound }
    }

    func contains(_ scalar: UInt32) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(scalar)
    }
}
