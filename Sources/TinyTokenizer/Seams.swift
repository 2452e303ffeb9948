/// Where a text without words can be cut before its characters are joined, with the same tokens as without a cut.
///
/// SentencePiece's byte-pair encoding joins over a whole text. But if no piece holds a ▁ behind another character,
/// nothing can join across that place, and each word is for itself: short work, and the same words come again. Pieces of
/// the user are never joined with what stands beside them.
struct Seams: Sendable {
    var cutsAtMarks = false
    /// From texts to their tokens.
    var whole = ByteTrie()

    init() {}

    init(_ pieces: PieceTable, userDefined: ByteTrie = ByteTrie()) {
        whole = userDefined
        let mark = SentencePieceNormalizer.spaceMark
        guard pieces.id(of: mark) != nil else { return }
        for id in 0..<pieces.count {
            switch pieces.kind(of: id) {
            case .normal, .unused, .added: break
            default: continue
            }
            guard let text = pieces.bytes(of: id) else { continue }
            if Self.seam(text) != nil { return }
        }
        cutsAtMarks = true
    }

    /// Where a mark stands behind another character.
    private static func seam(_ text: ArraySlice<UInt8>) -> Int? {
        let mark = SentencePieceNormalizer.spaceMark
        var position = text.startIndex
        var isBehindMark = true
        while position < text.endIndex {
            if text[position] == mark[0], text[position...].starts(with: mark) {
                if !isBehindMark { return position }
                position += mark.count
            } else {
                isBehindMark = false
                position += 1
            }
        }
        return nil
    }

    /// The next part of a text: where it ends, and its token if it is a piece of the user.
    func part(_ bytes: borrowing Span<UInt8>, from start: Int, limit: Int) -> (end: Int, id: Int?) {
        if !cutsAtMarks && whole.isEmpty { return (limit, nil) }
        if let found = whole.longest(bytes, at: start, limit: limit) { return (found.end, found.value) }
        var position = start
        var isBehindMark = true
        while position < limit {
            if cutsAtMarks, bytes[position] == 0xE2, position + 2 < limit, bytes[position + 1] == 0x96,
                bytes[position + 2] == 0x81
            {
                if !isBehindMark { return (position, nil) }
                position += 3
            } else {
                isBehindMark = false
                position += 1
            }
            if !whole.isEmpty, position < limit, bytes[position] & 0xC0 != 0x80,
                whole.longest(bytes, at: position, limit: limit) != nil
            {
                return (position, nil)
            }
        }
        return (limit, nil)
    }
}
