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

    /// How the file writes pieces: in visible characters that stand for bytes, or as they are.
    enum Writing: Sendable {
        case byteAlphabet, plain
    }

    /// A token as a file gives it.
    struct Entry {
        var text: String
        var kind: Kind
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

    /// - Parameters:
    ///   - entries: by id; nil where the file has no token of that id.
    ///   - key: how the file names its list of pieces, for errors.
    init(
        _ entries: [Entry?], writing: Writing = .byteAlphabet, file: String, key: String
    ) throws(TokenizerError) {
        guard entries.contains(where: { $0 != nil }) else {
            throw TokenizerError(file: file, key: key, found: "no pieces", expected: "at least one")
        }
        var capacity = 16
        while capacity < entries.count * 2 { capacity *= 2 }
        slots = Array(repeating: Slot(id: -1, hash: 0), count: capacity)
        kinds.reserveCapacity(entries.count)
        starts.reserveCapacity(entries.count + 1)

        for (id, entry) in entries.enumerated() {
            kinds.append(entry?.kind ?? .absent)
            defer { starts.append(UInt32(arena.count)) }
            guard let entry else { continue }
            guard arena.count + entry.text.utf8.count < UInt32.max else {
                throw TokenizerError(
                    file: file, key: "\(key)[\(id)]", found: "pieces of 4 GiB together", expected: "less")
            }
            guard !entry.text.isEmpty else {
                throw TokenizerError(file: file, key: "\(key)[\(id)]", found: "an empty piece", expected: "text")
            }
            var isFound = false
            if writing == .byteAlphabet, entry.kind == .normal { isFound = ByteLevel.append(entry.text, to: &arena) }
            if !isFound { arena.append(contentsOf: entry.text.utf8) }
            if writing == .plain {
                isFound = entry.kind == .normal || entry.kind == .added || entry.kind == .unused
            } else if entry.kind != .normal {
                // Plain ASCII is the same in both writings, so merges may lead to it.
                isFound = entry.text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
            }
            var twin: Int?
            if entry.kind == .added || entry.kind == .special {
                twin = texts.updateValue(id, forKey: ExactKey(entry.text))
            }
            if isFound {
                let hash = Self.hash(arena.span, start: Int(starts[id]), end: arena.count)
                let slot = slot(of: arena.span, start: Int(starts[id]), end: arena.count, hash: hash)
                if slots[slot].id >= 0 {
                    twin = Int(slots[slot].id)
                } else {
                    slots[slot] = Slot(id: Int32(id), hash: hash)
                }
            }
            if let twin {
                throw TokenizerError(
                    file: file, key: "\(key)[\(id)]", found: "\(quoted(entry.text)), which is token \(twin) already",
                    expected: "each piece once")
            }
        }
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
