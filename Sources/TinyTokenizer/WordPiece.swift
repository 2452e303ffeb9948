/// WordPiece: a word becomes the longest piece it begins with, then the longest continuation, and so on; if the rest of
/// a word has no piece, the whole word is unknown.
///
/// Wu et al. 2016, arXiv:1609.08144; Devlin et al. 2018, arXiv:1810.04805
struct WordPiece: Sendable {
    private var beginnings = ByteTrie()
    private var continuations = ByteTrie()
    let unknown: Int
    /// Longer words are unknown.
    let characterLimit: Int

    /// - Parameter prefix: what continuations are written with in the vocabulary, such as `##`.
    init(pieces: PieceTable, unknown: Int, prefix: [UInt8], characterLimit: Int) {
        self.unknown = unknown
        self.characterLimit = characterLimit
        for id in 0..<pieces.count {
            guard pieces.kind(of: id) != .special, let text = pieces.bytes(of: id) else { continue }
            _ = beginnings.insert(Array(text), value: Int32(id))
            if text.starts(with: prefix) {
                _ = continuations.insert(Array(text.dropFirst(prefix.count)), value: Int32(id))
            }
        }
    }

    func encode(_ bytes: borrowing Span<UInt8>, _ word: Range<Int>, into output: inout [Int]) {
        var characters = 0
        for index in word where bytes[index] & 0xC0 != 0x80 { characters += 1 }
        let start = output.count
        var position = word.lowerBound
        while position < word.upperBound {
            let found =
                position == word.lowerBound
                ? beginnings.longest(bytes, at: position, limit: word.upperBound)
                : continuations.longest(bytes, at: position, limit: word.upperBound)
            guard let found, characters <= characterLimit else {
                output.removeSubrange(start...)
                output.append(unknown)
                return
            }
            output.append(found.value)
            position = found.end
        }
    }
}
