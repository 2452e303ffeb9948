internal import TinyJSON

/// Merges as a file lists them, earliest first.
struct MergeList: Sendable {
    /// Each merge is one text, `"a b"`, or two.
    let texts: TextList
    let isPaired: Bool

    init(joined texts: TextList) { (self.texts, isPaired) = (texts, false) }
    init(pairs texts: TextList) { (self.texts, isPaired) = (texts, true) }

    var count: Int { isPaired ? texts.count / 2 : texts.count }

    func shown(_ rank: Int) -> String {
        isPaired ? "[\(quoted(texts[2 * rank])), \(quoted(texts[2 * rank + 1]))]" : quoted(texts[rank])
    }

    /// Where both parts stand in the texts' bytes; nil if there are not two with one space between them.
    @inline(__always)
    func parts(_ rank: Int) -> (left: Range<Int>, right: Range<Int>)? {
        if isPaired { return (texts.range(2 * rank), texts.range(2 * rank + 1)) }
        let range = texts.range(rank)
        var gap = -1
        for index in range where texts.bytes[index] == 0x20 {
            // A second space is no part of a piece.
            if gap >= 0 { return nil }
            gap = index
        }
        return gap < 0 ? nil : (range.lowerBound..<gap, gap + 1..<range.upperBound)
    }
}

extension MergeTable {
    /// Resolves merges against the vocabulary.
    ///
    /// Both parts and the result must be pieces, and no pair may come twice: the result is longer than its parts and
    /// no piece comes twice either, so that merging always ends.
    /// - Parameter key: how the file names its list of merges, for errors.
    init(
        pieces: PieceTable, writing: PieceTable.Writing, _ merges: MergeList, file: String, key: String
    ) throws(TokenizerError) {
        self.init(count: merges.count)
        var bytes: [UInt8] = []
        // Files list pieces in the order in which their merges make them: most often it is the next one.
        var guess = 0
        for rank in 0..<merges.count {
            func error(_ expected: String) -> TokenizerError {
                TokenizerError(file: file, key: "\(key)[\(rank)]", found: merges.shown(rank), expected: expected)
            }
            guard let (left, right) = merges.parts(rank), !left.isEmpty, !right.isEmpty,
                let (middle, end) = Self.write(merges.texts.bytes, left, right, writing, to: &bytes)
            else {
                throw error(
                    "two pieces\(writing == .byteAlphabet ? " in the byte alphabet" : ""), with one space between them")
            }
            guard let left = pieces.id(of: bytes.span, in: 0..<middle),
                let right = pieces.id(of: bytes.span, in: middle..<end)
            else { throw error("two pieces of the vocabulary") }
            guard let result = pieces.id(of: bytes.span, in: 0..<end, guess: guess) else {
                throw error("two pieces that join into one of the vocabulary")
            }
            guess = result + 1
            guard insert(left: left, right: right, rank: rank, result: result) else {
                throw error("each pair once")
            }
        }
    }

    /// Writes both parts' bytes to the front of a buffer, and says where the second begins and ends.
    @inline(__always)
    private static func write(
        _ texts: [UInt8], _ left: Range<Int>, _ right: Range<Int>, _ writing: PieceTable.Writing,
        to bytes: inout [UInt8]
    ) -> (middle: Int, end: Int)? {
        let room = left.count + right.count
        if bytes.count < room { bytes += Array(repeating: 0, count: room) }
        return texts.withUnsafeBufferPointer { texts in
            bytes.withUnsafeMutableBufferPointer { bytes in
                guard let middle = write(texts, left, writing, to: bytes, at: 0),
                    let end = write(texts, right, writing, to: bytes, at: middle)
                else { return nil }
                return (middle, end)
            }
        }
    }

    @inline(__always)
    private static func write(
        _ texts: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ writing: PieceTable.Writing,
        to bytes: UnsafeMutableBufferPointer<UInt8>, at start: Int
    ) -> Int? {
        let part = UnsafeBufferPointer(rebasing: texts[range])
        let place = UnsafeMutableBufferPointer(rebasing: bytes[start..<start + range.count])
        if writing == .byteAlphabet { return ByteLevel.decode(part, into: place).map { start + $0 } }
        _ = place.update(fromContentsOf: part)
        return start + range.count
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
