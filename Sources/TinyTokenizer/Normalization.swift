/// Unicode's normalization forms.
enum NormalizationForm: Sendable, Equatable {
    /// NFD, NFC, NFKD, NFKC: taken apart, and put together again; the last two also where only the look is the same.
    case decomposed, composed, compatiblyDecomposed, compatiblyComposed

    var isCompatible: Bool { self == .compatiblyDecomposed || self == .compatiblyComposed }
    var isComposed: Bool { self == .composed || self == .compatiblyComposed }
}

/// Unicode's normalization forms on UTF-8, with the tables of the Python package `tokenizers`: they are older than
/// Swift's and Foundation's, so that a mark assigned since stays where it stands.
///
/// Unicode Standard Annex 15
struct Normalization: Sendable {
    static let shared = Normalization()

    private struct Pair: Hashable {
        let first: UInt32
        let second: UInt32
    }

    /// One step; a second of 0 means that there is only a first.
    private var decompositions: [UInt32: Pair] = [:]
    private var compositions: [Pair: UInt32] = [:]
    private var combiningClasses: [UInt32: UInt8] = [:]

    private init() {
        var numbers = NumberText(UnicodeTables.decompositions)
        var scalar: UInt32 = 0
        while !numbers.isAtEnd {
            let head = UInt32(numbers.next())
            scalar += head >> 1
            let pair = Pair(first: UInt32(numbers.next()), second: UInt32(numbers.next()))
            decompositions[scalar] = pair
            if head & 1 == 1 { compositions[pair] = scalar }
        }
        var runs = NumberText(UnicodeTables.combining)
        scalar = 0
        while !runs.isAtEnd {
            let value = UInt8(runs.next())
            let end = scalar + UInt32(runs.next())
            if value > 0 {
                for marked in scalar..<end { combiningClasses[marked] = value }
            }
            scalar = end
        }
    }

    /// The text in a form; nil if it is as it was.
    func apply(_ form: NormalizationForm, _ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        form == .composed ? composed(bytes, range) : converted(form, bytes, range)
    }

    /// Stretches beyond ASCII are taken apart, each with the character before it, since a mark may follow that.
    private func converted(
        _ form: NormalizationForm, _ bytes: borrowing Span<UInt8>, _ range: Range<Int>
    ) -> [UInt8]? {
        var position = range.lowerBound
        while position < range.upperBound, bytes[position] < 0x80 { position += 1 }
        guard position < range.upperBound else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(range.count + range.count / 8)
        output.append(bytes, range.lowerBound..<position)
        var stretch: [UInt32] = []
        while position < range.upperBound {
            if bytes[position] < 0x80 {
                output.append(bytes[position])
                position += 1
                continue
            }
            stretch.removeAll(keepingCapacity: true)
            if position > range.lowerBound, let last = output.popLast() { stretch.append(UInt32(last)) }
            while position < range.upperBound, bytes[position] >= 0x80 {
                let scalar = DecodedScalar(bytes, at: position, limit: range.upperBound)
                stretch.append(scalar.value)
                position += scalar.length
            }
            for value in convert(stretch, form) { output.append(scalar: value) }
        }
        return output
    }

    /// Only stretches around a character that NFC may change are taken apart: from the last stable character before it
    /// to the next behind it.
    private func composed(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        let classes = CharacterClasses.shared
        var output: [UInt8]?
        var copied = range.lowerBound
        var stable = range.lowerBound
        var position = range.lowerBound
        while position < range.upperBound {
            // Below U+0300 every character is stable.
            if bytes[position] < 0x80 {
                stable = position
                position += 1
                continue
            }
            let scalar = DecodedScalar(bytes, at: position, limit: range.upperBound)
            guard classes[scalar.value].isUnstable else {
                stable = position
                position += scalar.length
                continue
            }
            var end = position
            var stretch: [UInt32] = []
            if stable < position { stretch.append(DecodedScalar(bytes, at: stable, limit: position).value) }
            while end < range.upperBound {
                let next = DecodedScalar(bytes, at: end, limit: range.upperBound)
                if !classes[next.value].isUnstable { break }
                stretch.append(next.value)
                end += next.length
            }
            var result = output ?? []
            output = nil
            for index in copied..<stable { result.append(bytes[index]) }
            for value in convert(stretch, .composed) { result.append(scalar: value) }
            output = result
            copied = end
            stable = end
            position = end
        }
        guard var result = output else { return nil }
        for index in copied..<range.upperBound { result.append(bytes[index]) }
        return result
    }

    /// Takes characters apart, sorts marks by their class, and puts together what composes.
    private func convert(_ scalars: [UInt32], _ form: NormalizationForm) -> [UInt32] {
        var parts: [(value: UInt32, combining: UInt8)] = []
        for scalar in scalars {
            if form.isCompatible, let compatible = ScalarMapping.compatibility[scalar] {
                // The table is of whole decompositions.
                for part in compatible { parts.append((part, combiningClasses[part] ?? 0)) }
            } else {
                decompose(scalar, into: &parts)
            }
        }
        sortMarks(&parts)
        return form.isComposed ? compose(parts) : parts.map(\.value)
    }

    private func compose(_ parts: [(value: UInt32, combining: UInt8)]) -> [UInt32] {

        var result: [UInt32] = []
        var starter: Int?
        var lastCombining: UInt8 = 0
        for part in parts {
            if let index = starter, index == result.count - 1 || lastCombining < part.combining,
                let whole = composition(result[index], part.value)
            {
                result[index] = whole
                continue
            }
            if part.combining == 0 { starter = result.count }
            lastCombining = part.combining
            result.append(part.value)
        }
        return result
    }

    private func decompose(_ scalar: UInt32, into parts: inout [(value: UInt32, combining: UInt8)]) {
        if 0x4E00...0x9FFF ~= scalar {
            parts.append((scalar, 0))
        } else if let pair = decompositions[scalar] {
            decompose(pair.first, into: &parts)
            if pair.second != 0 { decompose(pair.second, into: &parts) }
        } else if Hangul.syllables ~= scalar {
            let index = scalar - Hangul.syllables.lowerBound
            parts.append((Hangul.lead + index / (21 * 28), 0))
            parts.append((Hangul.vowel + index % (21 * 28) / 28, 0))
            if index % 28 > 0 { parts.append((Hangul.tail + index % 28, 0)) }
        } else {
            parts.append((scalar, combiningClasses[scalar] ?? 0))
        }
    }

    private func sortMarks(_ parts: inout [(value: UInt32, combining: UInt8)]) {
        var start = 0
        while start < parts.count {
            var end = start
            while end < parts.count, parts[end].combining > 0 { end += 1 }
            if end - start > 1 {
                // Marks of one class keep their order: the place decides between equals.
                let order = (start..<end).sorted { a, b in
                    (parts[a].combining, a) < (parts[b].combining, b)
                }
                let sorted = order.map { parts[$0] }
                parts.replaceSubrange(start..<end, with: sorted)
            }
            start = max(end, start + 1)
        }
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if Hangul.lead..<Hangul.lead + 19 ~= first, Hangul.vowel..<Hangul.vowel + 21 ~= second {
            return Hangul.syllables.lowerBound + ((first - Hangul.lead) * 21 + second - Hangul.vowel) * 28
        }
        if Hangul.syllables ~= first, (first - Hangul.syllables.lowerBound) % 28 == 0,
            Hangul.tail + 1..<Hangul.tail + 28 ~= second
        {
            return first + second - Hangul.tail
        }
        return compositions[Pair(first: first, second: second)]
    }

    /// Korean syllables are computed from their letters: 19 leads, 21 vowels, 27 tails or none.
    private enum Hangul {
        static let syllables: ClosedRange<UInt32> = 0xAC00...0xD7A3
        static let lead: UInt32 = 0x1100
        static let vowel: UInt32 = 0x1161
        static let tail: UInt32 = 0x11A7
    }
}
