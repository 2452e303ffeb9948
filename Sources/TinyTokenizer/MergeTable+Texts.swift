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

extension MergeTable {
    /// Resolves merges against the vocabulary.
    ///
    /// Both parts and the result must be pieces, and no pair may come twice: the result is longer than its parts and
    /// no piece comes twice either, so that merging always ends.
    /// - Parameters:
    ///   - key: how the file names its list of merges, for errors.
    ///   - merge: the merge at an index below `count`.
    init(
        pieces: PieceTable, writing: PieceTable.Writing, count: Int, file: String, key: String,
        merge: (Int) throws(TokenizerError) -> MergeText
    ) throws(TokenizerError) {
        self.init(count: count)
        var bytes: [UInt8] = []
        // Files list pieces in the order in which their merges make them: most often it is the next one.
        var guess = 0
        for rank in 0..<count {
            let text = try merge(rank)
            func error(_ expected: String) -> TokenizerError {
                TokenizerError(file: file, key: "\(key)[\(rank)]", found: text.shown, expected: expected)
            }
            bytes.removeAll(keepingCapacity: true)
            let middle = Self.append(text, writing, to: &bytes)
            guard middle > 0, middle < bytes.count else {
                throw error(
                    "two pieces\(writing == .byteAlphabet ? " in the byte alphabet" : ""), with one space between them")
            }
            guard let left = pieces.id(of: bytes.span, in: 0..<middle),
                let right = pieces.id(of: bytes.span, in: middle..<bytes.count)
            else { throw error("two pieces of the vocabulary") }
            guard let result = pieces.id(of: bytes.span, in: 0..<bytes.count, guess: guess) else {
                throw error("two pieces that join into one of the vocabulary")
            }
            guess = result + 1
            guard insert(left: left, right: right, rank: rank, result: result) else {
                throw error("each pair once")
            }
        }
    }

    /// Appends both parts' bytes and returns where the second begins; 0 if there are not two.
    private static func append(_ merge: MergeText, _ writing: PieceTable.Writing, to bytes: inout [UInt8]) -> Int {
        switch merge {
        case .pair(let left, let right):
            guard append(left, writing, to: &bytes) else { return 0 }
            let middle = bytes.count
            return append(right, writing, to: &bytes) ? middle : 0
        case .joined(var text):
            return text.withUTF8 { text in
                let space = UInt8(ascii: " ")
                guard let gap = text.firstIndex(of: space) else { return 0 }
                let right = UnsafeBufferPointer(rebasing: text[(gap + 1)...])
                guard append(UnsafeBufferPointer(rebasing: text[..<gap]), writing, to: &bytes) else { return 0 }
                let middle = bytes.count
                // A second space is no part of a piece.
                guard !right.contains(space), append(right, writing, to: &bytes) else { return 0 }
                return middle
            }
        }
    }

    private static func append(_ text: String, _ writing: PieceTable.Writing, to bytes: inout [UInt8]) -> Bool {
        var text = text
        return text.withUTF8 { append($0, writing, to: &bytes) }
    }

    private static func append(
        _ text: UnsafeBufferPointer<UInt8>, _ writing: PieceTable.Writing, to bytes: inout [UInt8]
    ) -> Bool {
        if writing == .byteAlphabet { return ByteLevel.append(text, to: &bytes) }
        bytes.append(contentsOf: text)
        return true
    }
}

extension Symbols {
    /// The symbols of a byte-level vocabulary. Such vocabularies lack bytes that their training text did not have, and
    /// then `tokenizers` drops them; we allow that for bytes that are rare in text, since dropping what is common would
    /// be a broken file.
    ///
    /// - Parameters:
    ///   - wordEnd: what a word's last piece ends with.
    ///   - unknown: stands for bytes without a token.
    init(
        bytesOf pieces: PieceTable, wordEnd: [UInt8] = [], unknown: Int?, file: String, key: String
    ) throws(TokenizerError) {
        var tokens: [Int32] = []
        var lastTokens: [Int32] = []
        var missing: [Int] = []
        for byte in UInt8.min...UInt8.max {
            let id = pieces.id(of: [byte]) ?? unknown
            tokens.append(Int32(id ?? -1))
            if !wordEnd.isEmpty { lastTokens.append(Int32(pieces.id(of: [byte] + wordEnd) ?? unknown ?? -1)) }
            let isCommon = 0x20...0x7E ~= byte || 0x80...0xBF ~= byte || byte == 0x0A
            if id == nil && isCommon { missing.append(Int(byte)) }
        }
        guard missing.isEmpty else {
            let shown = missing.prefix(8).map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
            throw TokenizerError(
                file: file, key: key, found: "no piece for \(missing.count) bytes that text is made of (\(shown)…)",
                expected: "a piece for each")
        }
        self.init(unit: .bytes, byteTokens: tokens, lastByteTokens: lastTokens, unknown: unknown)
    }
}
