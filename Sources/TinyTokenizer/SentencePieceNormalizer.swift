/// What a SentencePiece model does to a text: its map, white space to single spaces if it says so, a space in front,
/// and each space written as ▁.
///
/// Kudo and Richardson 2018, arXiv:1808.06226
struct SentencePieceNormalizer: Sendable {
    var map: CharacterMap?
    var addsSpace = true
    var removesExtraSpaces = true
    var escapesSpaces = true
    /// Pieces of the user: the map leaves them alone.
    var protected = ByteTrie()

    static let spaceMark: [UInt8] = [0xE2, 0x96, 0x81]

    func apply(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        let space = escapesSpaces ? Self.spaceMark : [0x20]
        var position = range.lowerBound
        while removesExtraSpaces, position < range.upperBound {
            let part = part(bytes, position..<range.upperBound)
            guard
                part.replacement.map({ $0.elementsEqual([0x20]) })
                    ?? (part.end == position + 1 && bytes[position] == 0x20)
            else { break }
            position = part.end
        }
        var output: [UInt8] = []
        guard position < range.upperBound else { return output }
        output.reserveCapacity(range.count + range.count / 2)
        if addsSpace { output.append(contentsOf: space) }
        var isBehindSpace = removesExtraSpaces
        while position < range.upperBound {
            let part = part(bytes, position..<range.upperBound)
            var isEmpty = true
            func append(_ byte: UInt8) {
                if isEmpty && isBehindSpace && byte == 0x20 { return }
                isEmpty = false
                if byte == 0x20 { output.append(contentsOf: space) } else { output.append(byte) }
                lastIsSpace = byte == 0x20
            }
            var lastIsSpace = false
            if let replacement = part.replacement {
                for byte in replacement { append(byte) }
            } else {
                for index in position..<part.end { append(bytes[index]) }
            }
            if !isEmpty { isBehindSpace = lastIsSpace }
            if !removesExtraSpaces { isBehindSpace = false }
            position = part.end
        }
        while removesExtraSpaces, output.count >= space.count, output.suffix(space.count).elementsEqual(space) {
            output.removeLast(space.count)
        }
        return output
    }

    /// The next part of the text, and what it becomes; nil if it stays.
    @inline(__always)
    private func part(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>
    ) -> (end: Int, replacement: ArraySlice<UInt8>?) {
        if let end = protected.longest(bytes, at: range.lowerBound, limit: range.upperBound)?.end { return (end, nil) }
        if let map, let found = map.longest(bytes, range) { return (found.end, found.text) }
        let scalar = DecodedScalar(bytes, at: range.lowerBound, limit: range.upperBound)
        let isBroken = scalar.length == 1 && bytes[range.lowerBound] >= 0x80
        return (range.lowerBound + scalar.length, isBroken ? [0xEF, 0xBF, 0xBD] : nil)
    }
}
