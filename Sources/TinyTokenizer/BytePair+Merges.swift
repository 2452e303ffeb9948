extension BytePair {
    /// A merge as files write it.
    enum MergeText {
        /// `"a b"`
        case joined(String)
        /// `["a", "b"]`
        case pair(String, String)

        var shown: String {
            switch self {
            case .joined(let text): quoted(text)
            case .pair(let left, let right): "[\(quoted(left)), \(quoted(right))]"
            }
        }
    }

    /// Resolves the merges against the vocabulary.
    ///
    /// Both parts and the result must be pieces, and no pair may come twice: the result is longer than its parts and
    /// no piece comes twice either, so that merging always ends.
    /// - Parameters:
    ///   - merge: the merge at an index below `mergeCount`.
    ///   - key: how the file names its list of merges, for errors.
    ///   - unknown: stands for bytes without a token.
    init(
        pieces: PieceTable, mergeCount: Int, takesWholeWords: Bool, unknown: Int?, file: String,
        piecesKey: String, key: String, merge: (Int) throws(TokenizerError) -> MergeText
    ) throws(TokenizerError) {
        byteTokens = try Self.byteTokens(pieces, unknown: unknown, file: file, key: piecesKey)
        self.takesWholeWords = takesWholeWords
        var table = MergeTable(count: mergeCount)
        var bytes: [UInt8] = []
        for rank in 0..<mergeCount {
            let text = try merge(rank)
            func error(_ expected: String) -> TokenizerError {
                TokenizerError(file: file, key: "\(key)[\(rank)]", found: text.shown, expected: expected)
            }
            bytes.removeAll(keepingCapacity: true)
            guard let middle = Self.append(text, to: &bytes) else {
                throw error("two pieces in the byte alphabet, with one space between them")
            }
            guard let left = pieces.id(of: bytes.span, in: 0..<middle),
                let right = pieces.id(of: bytes.span, in: middle..<bytes.count)
            else { throw error("two pieces of the vocabulary") }
            guard let result = pieces.id(of: bytes) else {
                throw error("two pieces that join into one of the vocabulary")
            }
            guard table.insert(left: left, right: right, rank: rank, result: result) else {
                throw error("each pair once")
            }
        }
        merges = table
    }

    /// Appends both parts' bytes and returns where the second begins; nil if there are not two.
    private static func append(_ merge: MergeText, to bytes: inout [UInt8]) -> Int? {
        let middle: Int
        switch merge {
        case .pair(let left, let right):
            guard ByteLevel.append(left, to: &bytes) else { return nil }
            middle = bytes.count
            guard ByteLevel.append(right, to: &bytes) else { return nil }
        case .joined(let text):
            let space = UInt8(ascii: " ")
            guard let gap = text.utf8.firstIndex(of: space), ByteLevel.append(text[..<gap], to: &bytes) else {
                return nil
            }
            middle = bytes.count
            // A second space is refused here: the byte alphabet has none.
            guard ByteLevel.append(text[text.utf8.index(after: gap)...], to: &bytes) else { return nil }
        }
        return middle > 0 && middle < bytes.count ? middle : nil
    }

    /// The token of each byte. Vocabularies lack bytes that their training text did not have, and then `tokenizers` drops
    /// them; we allow that for bytes that are rare in text, since dropping what is common would be a broken file.
    private static func byteTokens(
        _ pieces: PieceTable, unknown: Int?, file: String, key: String
    ) throws(TokenizerError) -> [Int32] {
        var tokens: [Int32] = []
        var missing: [Int] = []
        for byte in UInt8.min...UInt8.max {
            if let id = pieces.id(of: [byte]) ?? unknown {
                tokens.append(Int32(id))
                continue
            }
            tokens.append(-1)
            let isCommon = 0x20...0x7E ~= byte || 0x80...0xBF ~= byte || byte == 0x0A
            if isCommon { missing.append(Int(byte)) }
        }
        guard missing.isEmpty else {
            let shown = missing.prefix(8).map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
            throw TokenizerError(
                file: file, key: key, found: "no piece for \(missing.count) bytes that text is made of (\(shown)…)",
                expected: "a piece for each")
        }
        return tokens
    }
}
