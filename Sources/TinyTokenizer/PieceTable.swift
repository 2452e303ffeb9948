internal import TinyJSON

/// The pieces of a vocabulary: token id to bytes, and bytes to token id.
struct PieceTable: Sendable {
    enum Kind: UInt8, Sendable {
        /// A hole in the ids, which files may have.
        case absent
        /// Learned from text, written in the byte alphabet.
        case normal
        /// Added to the vocabulary: its text is cut out before anything else is.
        case added
        /// Like `added`, but it steers the model: plain text never becomes one.
        case special
        /// Takes an id and is never met.
        case unused
        /// Stands in for a byte of a character that has no token.
        case byte
    }

    /// How the file writes pieces: in visible characters that stand for bytes, as text, or as bytes that may be no text.
    enum Writing: Sendable {
        case byteAlphabet, plain, bytes
    }

    private var kinds: [Kind] = []
    /// All pieces' bytes one after the other; piece `id` ends where `id + 1` begins.
    private var arena: [UInt8] = []
    private var starts: [UInt32] = [0]
    /// Open addressing over the pieces that text can become: an id, or −1.
    private var slots: [Slot] = []
    private struct Slot {
        var id: Int32
        /// Of the piece's bytes: most pieces that are not the one are told by it.
        var hash: UInt32
    }

    /// Of the added and special tokens.
    private var texts: [ExactKey: Int] = [:]

    var count: Int { kinds.count }

    /// - Parameter key: how the file names its list of pieces, for errors.
    init(
        _ list: PieceList, writing: Writing = .byteAlphabet, file: String, key: String
    ) throws(TokenizerError) {
        guard (0..<list.count).contains(where: { list.kind($0) != nil }) else {
            throw TokenizerError(file: file, key: key, found: "no pieces", expected: "at least one")
        }
        guard list.texts.bytes.count < UInt32.max else {
            throw TokenizerError(file: file, key: key, found: "pieces of 4 GiB together", expected: "less")
        }
        var capacity = 16
        while capacity < list.count * 2 { capacity *= 2 }
        slots = Array(repeating: Slot(id: -1, hash: 0), count: capacity)
        kinds.reserveCapacity(list.count)
        starts.reserveCapacity(list.count + 1)
        arena.reserveCapacity(list.texts.bytes.count)

        for id in 0..<list.count {
            let kind = list.kind(id)
            kinds.append(kind ?? .absent)
            defer { starts.append(UInt32(arena.count)) }
            guard let kind else { continue }
            guard let isFound = append(list.texts.bytes, list.range(id), kind, writing) else {
                throw TokenizerError(file: file, key: "\(key)[\(id)]", found: "an empty piece", expected: "text")
            }
            var twin: Int?
            if kind == .added || kind == .special { twin = texts.updateValue(id, forKey: ExactKey(list.text(id))) }
            if isFound { twin = enter(id) ?? twin }
            if let twin {
                throw TokenizerError(
                    file: file, key: "\(key)[\(id)]", found: "\(quoted(list.text(id))), which is token \(twin) already",
                    expected: "each piece once")
            }
        }
    }

    /// Appends a piece to the arena and says whether text can become it; nil if it is empty.
    @inline(__always)
    private mutating func append(
        _ bytes: [UInt8], _ range: Range<Int>, _ kind: Kind, _ writing: Writing
    ) -> Bool? {
        if range.isEmpty { return nil }
        if writing == .byteAlphabet, kind == .normal {
            arena.append(contentsOf: bytes[range])
            let start = arena.count - range.count
            let count = bytes.withUnsafeBufferPointer { bytes in
                arena.withUnsafeMutableBufferPointer { arena in
                    ByteLevel.decode(
                        UnsafeBufferPointer(rebasing: bytes[range]),
                        into: UnsafeMutableBufferPointer(rebasing: arena[start...]))
                }
            }
            if let count {
                arena.removeLast(range.count - count)
            } else {
                // What was written until then is no piece.
                arena.removeLast(range.count)
                arena.append(contentsOf: bytes[range])
            }
            return count != nil
        }
        arena.append(contentsOf: bytes[range])
        switch writing {
        case .plain: return kind == .normal || kind == .added || kind == .unused
        case .bytes: return kind == .normal
        // Plain ASCII is the same in both writings, so merges may lead to it.
        case .byteAlphabet: return bytes[range].allSatisfy { 0x21...0x7E ~= $0 }
        }
    }

    /// Enters the last piece of the arena into the table, or gives the token that has these bytes.
    @inline(__always)
    private mutating func enter(_ id: Int) -> Int? {
        let start = Int(starts[id])
        let hash = Self.hash(arena.span, start: start, end: arena.count)
        let slot = slot(of: arena.span, start: start, end: arena.count, hash: hash)
        if slots[slot].id >= 0 { return Int(slots[slot].id) }
        slots[slot] = Slot(id: Int32(truncatingIfNeeded: id), hash: hash)
        return nil
    }

    func kind(of id: Int) -> Kind { kinds.indices.contains(id) ? kinds[id] : .absent }

    /// The bytes of a token; nil if there is no such token.
    func bytes(of id: Int) -> ArraySlice<UInt8>? {
        kind(of: id) == .absent ? nil : arena[Int(starts[id])..<Int(starts[id + 1])]
    }

    /// The token that is exactly these bytes, among those that text can become.
    func id(of bytes: borrowing Span<UInt8>, in range: Range<Int>) -> Int? {
        let hash = Self.hash(bytes, start: range.lowerBound, end: range.upperBound)
        let id = slots[slot(of: bytes, start: range.lowerBound, end: range.upperBound, hash: hash)].id
        return id >= 0 ? Int(id) : nil
    }

    /// The same where it is likely to be a certain token.
    func id(of bytes: borrowing Span<UInt8>, in range: Range<Int>, guess: Int) -> Int? {
        if guess < kinds.count, kinds[guess] == .normal,
            equal(guess, bytes, start: range.lowerBound, end: range.upperBound)
        {
            return guess
        }
        return id(of: bytes, in: range)
    }

    func id(of bytes: [UInt8]) -> Int? { id(of: bytes.span, in: 0..<bytes.count) }

    /// The added or special token with this text.
    func id(ofText text: String) -> Int? { texts[ExactKey(text)] }

    /// Added and special tokens with their texts, lowest id first.
    var marks: [(id: Int, text: String)] {
        texts.map { (id: $0.value, text: $0.key.text) }.sorted { $0.id < $1.id }
    }

    @inline(__always)
    private static func hash(_ bytes: borrowing Span<UInt8>, start: Int, end: Int) -> UInt32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in start..<end { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3 }
        // FNV's low bits depend on the bytes' low bits only.
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }

    /// Where the piece of these bytes stands in `slots`, or the empty slot where it would.
    @inline(__always)
    private func slot(of bytes: borrowing Span<UInt8>, start: Int, end: Int, hash: UInt32) -> Int {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while true {
            let found = slots[slot]
            if found.id < 0 || found.hash == hash && equal(Int(found.id), bytes, start: start, end: end) { return slot }
            slot = (slot + 1) & mask
        }
    }

    private func equal(_ id: Int, _ bytes: borrowing Span<UInt8>, start: Int, end: Int) -> Bool {
        let first = Int(starts[id])
        // The piece that is being added has no end yet, but then it is not in `slots` either.
        guard Int(starts[id + 1]) - first == end - start else { return false }
        for offset in 0..<(end - start) where arena[first + offset] != bytes[start + offset] { return false }
        return true
    }
}
