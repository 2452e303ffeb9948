extension SplitPattern {
    /// Words cut by their case: capitals and then small letters, or capitals alone; letters without case and marks
    /// count as both. `P` is `[^\r\n\p{L}\p{N}]`, `U` is `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, `L` is
    /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`, and a contraction may follow.
    ///
    ///     P?U*L+|P?U+L*
    ///
    /// nil where neither matches.
    func casedEnd(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ casing: Casing, _ classes: CharacterClasses
    ) -> Int? {
        let first = DecodedScalar(bytes, at: start, limit: limit)
        let firstClass = classes[first.value]
        let isPrefix =
            first.value != 0x0A && first.value != 0x0D
            && !firstClass.isAny(of: CharacterClass.letter | CharacterClass.number)
        let isInWord = firstClass.isAny(of: CharacterClass.letter | CharacterClass.mark)
        guard isPrefix || isInWord else { return nil }
        let second = start + first.length
        // The engine tries each alternative with the character in front, then without it; a mark can be either.
        var end: Int?
        if isPrefix { end = smallEnd(bytes, from: second, limit: limit, classes) }
        if end == nil, isInWord { end = smallEnd(bytes, from: start, limit: limit, classes) }
        if end == nil, isPrefix { end = capitalsEnd(bytes, from: second, limit: limit, classes) }
        if end == nil, isInWord { end = capitalsEnd(bytes, from: start, limit: limit, classes) }
        guard let end else { return nil }
        if casing == .withContractions, end < limit, bytes[end] == 0x27 {
            return contractionEnd(bytes, from: end + 1, limit: limit, anyCase: true) ?? end
        }
        return end
    }

    private static let capital = CharacterClass.upper | CharacterClass.otherLetter | CharacterClass.mark
    private static let small = CharacterClass.lower | CharacterClass.otherLetter | CharacterClass.mark
    private static let both = CharacterClass.otherLetter | CharacterClass.mark

    /// `U*L+`
    private func smallEnd(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> Int? {
        var end = start
        // Behind the last character that could also be a small letter.
        var lastBoth: Int?
        var isSmall = false
        while end < limit {
            let scalar = DecodedScalar(bytes, at: end, limit: limit)
            let found = classes[scalar.value]
            if !isSmall && !found.isAny(of: Self.capital) {
                // Without a small letter here, `U*` gives back until `L+` finds one of both kinds.
                if !found.isAny(of: Self.small) { return lastBoth }
                isSmall = true
            }
            if isSmall && !found.isAny(of: Self.small) { return end }
            end += scalar.length
            if found.isAny(of: Self.both) { lastBoth = end }
        }
        return isSmall ? end : lastBoth
    }

    /// `U+L*`
    private func capitalsEnd(
        _ bytes: borrowing Span<UInt8>, from start: Int, limit: Int, _ classes: CharacterClasses
    ) -> Int? {
        var end = start
        var isSmall = false
        while end < limit {
            let scalar = DecodedScalar(bytes, at: end, limit: limit)
            let found = classes[scalar.value]
            if !isSmall && !found.isAny(of: Self.capital) { isSmall = true }
            if isSmall && (end == start || !found.isAny(of: Self.small)) { break }
            end += scalar.length
        }
        return end > start ? end : nil
    }
}
