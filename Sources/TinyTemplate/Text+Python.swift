/// What Python's `str` can do and templates use, scalar by scalar.
extension Unicode.Scalar {
    /// Python's `str.isspace`, which is also what its regular expressions call white space.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// Where `str.splitlines` cuts.
    var endsLine: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    var isPythonAlphabetic: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    var isPythonDecimal: Bool { properties.generalCategory == .decimalNumber }
    var isPythonDigit: Bool { properties.numericType == .decimal || properties.numericType == .digit }
    var isPythonNumeric: Bool { properties.numericType != nil }
    var isTitleCase: Bool { properties.generalCategory == .titlecaseLetter }
}

extension Text {
    // MARK: Ends

    /// Drops letters at the ends: white space, or any of `set`.
    func stripped(of set: Text? = nil, left: Bool = true, right: Bool = true) -> Text {
        let codes = set.map { Set($0.letters) }
        func drops(_ letter: Letter) -> Bool { codes?.contains(letter) ?? letter.scalar.isPythonSpace }
        var rest = letters[...]
        if left { rest = rest.drop(while: drops) }
        if right { while let last = rest.last, drops(last) { rest.removeLast() } }
        return rest.count == letters.count ? self : Text(rest)
    }

    func hasPrefix(_ prefix: Text) -> Bool { letters.starts(with: prefix.letters) }
    func hasSuffix(_ suffix: Text) -> Bool {
        letters.count >= suffix.count && letters.suffix(suffix.count).elementsEqual(suffix.letters)
    }

    // MARK: Searching

    /// Where `needle` stands, from left to right and not overlapping; linear in the text whatever it holds (Knuth, Morris
    /// and Pratt 1977). An empty needle stands nowhere: callers say what it means to them.
    func positions(of needle: Text, limit: Int = .max) -> [Int] {
        let needle = needle.letters
        guard !needle.isEmpty, needle.count <= letters.count, limit > 0 else { return [] }
        // For every prefix of the needle, how long a prefix is also its suffix.
        var borders = [Int](repeating: 0, count: needle.count)
        var matched = 0
        for index in needle.indices.dropFirst() {
            while matched > 0, needle[index] != needle[matched] { matched = borders[matched - 1] }
            if needle[index] == needle[matched] { matched += 1 }
            borders[index] = matched
        }
        var positions: [Int] = []
        matched = 0
        for (index, letter) in letters.enumerated() {
            while matched > 0, letter != needle[matched] { matched = borders[matched - 1] }
            if letter == needle[matched] { matched += 1 }
            if matched == needle.count {
                positions.append(index - needle.count + 1)
                if positions.count == limit { break }
                matched = 0
            }
        }
        return positions
    }

    func contains(_ needle: Text) -> Bool { needle.isEmpty || !positions(of: needle, limit: 1).isEmpty }

    func reversed() -> Text { Text(letters.reversed()) }

    /// - Parameter limit: how many to replace at most; the first ones from the left.
    func replacing(_ old: Text, with new: Text, limit: Int = .max) -> Text {
        var result = Text()
        var start = 0
        if old.isEmpty {
            // Python puts `new` before every letter and at the end.
            for (index, letter) in letters.enumerated() {
                if index < limit { result += new }
                result.letters.append(letter)
            }
            if letters.count < limit { result += new }
            return result
        }
        for position in positions(of: old, limit: limit) {
            result.letters += letters[start..<position]
            result += new
            start = position + old.count
        }
        result.letters += letters[start...]
        return result
    }

    // MARK: Splitting

    func split(by separator: Text, limit: Int = .max) -> [Text] {
        var parts: [Text] = []
        var start = 0
        for position in positions(of: separator, limit: limit) {
            parts.append(Text(letters[start..<position]))
            start = position + separator.count
        }
        parts.append(Text(letters[start...]))
        return parts
    }

    /// At runs of white space, with none at the ends; the last part keeps what follows the `limit`-th cut.
    func splitAtSpace(limit: Int = .max) -> [Text] {
        var parts: [Text] = []
        var rest = letters[...].drop { $0.scalar.isPythonSpace }
        while !rest.isEmpty {
            if parts.count == limit {
                parts.append(Text(rest))
                break
            }
            let word = rest.prefix { !$0.scalar.isPythonSpace }
            parts.append(Text(word))
            rest = rest[word.endIndex...].drop { $0.scalar.isPythonSpace }
        }
        return parts
    }

    func lines(keepingEnds: Bool = false) -> [Text] {
        var lines: [Text] = []
        var start = 0
        var index = 0
        while index < letters.count {
            guard letters[index].scalar.endsLine else { index += 1; continue }
            var next = index + 1
            if letters[index] == "\r", next < letters.count, letters[next] == "\n" { next += 1 }
            lines.append(Text(letters[start..<(keepingEnds ? next : index)]))
            start = next
            index = next
        }
        if start < letters.count { lines.append(Text(letters[start...])) }
        return lines
    }

    func joined(_ parts: [Text]) -> Text {
        var result = Text()
        for (index, part) in parts.enumerated() {
            if index > 0 { result += self }
            result += part
        }
        return result
    }

    // MARK: Case

    private func mapped(_ mapping: (Unicode.Scalar) -> String) -> Text {
        var result = Text()
        result.letters.reserveCapacity(count)
        for letter in letters {
            for scalar in mapping(letter.scalar).unicodeScalars { result.letters.append(letter.replaced(by: scalar)) }
        }
        return result
    }

    var uppercased: Text { mapped { $0.properties.uppercaseMapping } }
    var lowercased: Text { mapped { $0.properties.lowercaseMapping } }
    /// For comparing without case: Unicode's full folding is, but for a few letters, the small form of the capital one.
    var casefolded: Text {
        mapped { scalar in
            switch scalar.value {
            case 0x131, 0x1C5...0x1CC, 0x1F1...0x1F3: scalar.properties.lowercaseMapping
            case 0x13A0...0x13F5: String(scalar)
            case 0x13F8...0x13FD, 0xAB70...0xABBF: scalar.properties.uppercaseMapping
            case 0x130: "i\u{307}"
            case 0x1E9E: "ss"
            default:
                String(
                    String.UnicodeScalarView(
                        scalar.properties.uppercaseMapping.unicodeScalars.flatMap(
                            \.properties.lowercaseMapping.unicodeScalars)))
            }
        }
    }
    var swappedCase: Text {
        mapped { $0.properties.isUppercase ? $0.properties.lowercaseMapping : $0.properties.uppercaseMapping }
    }

    /// The first letter in title case, the others in lower case.
    var capitalized: Text {
        Text(letters.prefix(1)).mapped { $0.properties.titlecaseMapping } + Text(letters.dropFirst()).lowercased
    }

    /// Title case as `str.title` has it: a word starts at any letter that follows something without case.
    var titled: Text {
        var result = Text()
        var afterCased = false
        for letter in letters {
            let properties = letter.scalar.properties
            let mapping = afterCased ? properties.lowercaseMapping : properties.titlecaseMapping
            for scalar in mapping.unicodeScalars { result.letters.append(letter.replaced(by: scalar)) }
            afterCased = properties.isCased
        }
        return result
    }

    // MARK: Questions

    func all(_ holds: (Unicode.Scalar) -> Bool) -> Bool { !isEmpty && letters.allSatisfy { holds($0.scalar) } }

    var isIdentifier: Bool {
        guard let first = letters.first?.scalar, first == "_" || first.properties.isXIDStart else { return false }
        return letters.allSatisfy { $0.scalar.properties.isXIDContinue }
    }

    var isUppercase: Bool {
        letters.contains { $0.scalar.properties.isUppercase }
            && !letters.contains { $0.scalar.properties.isLowercase || $0.scalar.isTitleCase }
    }

    var isLowercase: Bool {
        letters.contains { $0.scalar.properties.isLowercase }
            && !letters.contains { $0.scalar.properties.isUppercase || $0.scalar.isTitleCase }
    }

    var isTitled: Bool {
        var afterCased = false
        var found = false
        for letter in letters {
            let properties = letter.scalar.properties
            if properties.isUppercase || letter.scalar.isTitleCase {
                if afterCased { return false }
                afterCased = true
                found = true
            } else if properties.isLowercase {
                if !afterCased { return false }
            } else {
                afterCased = false
            }
        }
        return found
    }
}
