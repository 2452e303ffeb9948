/// A SentencePiece model's own compiled normalization: texts and what each becomes, often all of NFKC.
///
/// The bytes are a length, a double array of 32-bit units (a trie in two interleaved arrays, here in one), and texts
/// that end in a zero, to which the trie's values point. Nothing in it is trusted: a step out of bounds finds nothing.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let texts: [UInt8]

    /// nil if the bytes are not of this form.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        let size = Int(Self.number(bytes, at: 0))
        guard size % 4 == 0, size <= bytes.count - 4, size > 0 else { return nil }
        units = (0..<size / 4).map { Self.number(bytes, at: 4 + 4 * $0) }
        texts = Array(bytes[(4 + size)...])
    }

    /// The bytes of the longest text that something becomes.
    var longestText: Int { texts.split(separator: 0).reduce(0) { max($0, $1.count) } }

    private static func number(_ bytes: [UInt8], at start: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
    }

    /// The texts that begin at a place, from the shortest: where each ends, and what it becomes.
    private func search(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ found: (_ end: Int, _ text: Int) -> Bool
    ) {
        guard let root = units.first else { return }
        var node = Self.offset(root)
        for index in range {
            node ^= Int(bytes[index])
            guard node < units.count else { return }
            let unit = units[node]
            if unit & 0x8000_00FF != UInt32(bytes[index]) { return }
            node ^= Self.offset(unit)
            if unit >> 8 & 1 == 1 {
                guard node < units.count else { return }
                if !found(index + 1, Int(units[node] & 0x7FFF_FFFF)) { return }
            }
        }
    }

    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 0x200) >> 6) }

    private func text(at start: Int) -> ArraySlice<UInt8> {
        guard start < texts.count else { return [] }
        return texts[start..<(texts[start...].firstIndex(of: 0) ?? texts.count)]
    }

    /// What the longest text at the beginning of a range becomes, and where that text ends; nil if there is none.
    func longest(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> (end: Int, text: ArraySlice<UInt8>)? {
        var best: (end: Int, text: Int)?
        search(bytes, range) { end, text in
            best = (end, text)
            return true
        }
        return best.map { ($0.end, text(at: $0.text)) }
    }

    private func shortest(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> ArraySlice<UInt8>? {
        var first: Int?
        search(bytes, range) { _, text in
            first = text
            return false
        }
        return first.map(text)
    }

    /// The whole text as the Python package `tokenizers` does it, which is not as SentencePiece does: a character as
    /// people see it, if it is shorter than six bytes, becomes what its shortest beginning in the map does; else each
    /// scalar for itself.
    func normalizedByCharacters(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(range.count)
        var position = range.lowerBound
        while position < range.upperBound {
            // Between two ASCII characters there is always a border, but for a line end of two.
            var end = position + 1
            if bytes[position] >= 0x80 || end < range.upperBound && (bytes[end] >= 0x80 || bytes[position] == 0x0D) {
                end = Self.characterEnd(bytes, position..<range.upperBound)
            }
            if end - position < 6, let text = shortest(bytes, position..<end) {
                output.append(contentsOf: text)
                position = end
                continue
            }
            while position < end {
                let next = position + DecodedScalar(bytes, at: position, limit: end).length
                if let text = shortest(bytes, position..<next) {
                    output.append(contentsOf: text)
                } else {
                    output.append(bytes, position..<next)
                }
                position = next
            }
        }
        return output
    }

    /// Where the extended grapheme cluster at the beginning of a range ends.
    private static func characterEnd(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        // A window: making a string of all that follows, again and again, would take quadratic time.
        var width = 64
        while true {
            var end = min(range.lowerBound + width, range.upperBound)
            while end > range.lowerBound, end < range.upperBound, bytes[end] & 0xC0 == 0x80 { end -= 1 }
            var window: [UInt8] = []
            window.append(bytes, range.lowerBound..<end)
            let text = String(decoding: window, as: UTF8.self)
            guard let first = text.first else { return range.upperBound }
            let length = String(first).utf8.count
            // What is not UTF-8 has another length as a string.
            if text.utf8.count != window.count {
                return range.lowerBound + DecodedScalar(bytes, at: range.lowerBound, limit: range.upperBound).length
            }
            if length < window.count || end == range.upperBound { return range.lowerBound + length }
            width *= 4
        }
    }
}
