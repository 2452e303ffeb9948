/// Byte-pair encoding: a word begins as its bytes or characters, and of all neighbours that can join, those of the lowest
/// rank do, the leftmost first, until none can.
///
/// Sennrich, Haddow and Birch 2016, arXiv:1508.07909
struct BytePair: Sendable {
    /// Which neighbours join, and how early.
    enum Joining: Sendable {
        /// Two tokens that the file's list of merges names.
        case merges(MergeTable)
        /// Any two whose bytes together are a piece.
        case pieces(PieceRanks)
    }

    let joining: Joining
    let symbols: Symbols
    /// A word that is a token as a whole becomes that token, whatever the merges say (`ignore_merges`).
    var takesWholeWords = false

    /// Memory that one text's words share.
    struct Scratch {
        var tokens: [Int32] = []
        /// Where each token begins in the word, and behind them where the word ends.
        var starts: [Int] = []
        /// Where pieces that are not to be used were put together: how long the left part was.
        var splits: [Int: Int] = [:]
        fileprivate var ranks: [UInt32] = []
        fileprivate var next: [Int32] = []
        fileprivate var previous: [Int32] = []
        fileprivate var heap = MinimumHeap()
    }

    /// Up to here the lowest rank is searched in a row of words' length; beyond, with a heap.
    static let scanLimit = 48

    /// Appends the tokens of one word.
    func encode(
        _ bytes: borrowing Span<UInt8>, _ word: Range<Int>, _ pieces: PieceTable, _ scratch: inout Scratch,
        into output: inout [Int]
    ) {
        if takesWholeWords, let id = pieces.id(of: bytes, in: word), pieces.kind(of: id) != .special {
            output.append(id)
            return
        }
        symbols.split(bytes, word, pieces, &scratch)
        if scratch.tokens.count <= Self.scanLimit {
            mergeShort(bytes, pieces, &scratch)
        } else {
            mergeLong(bytes, pieces, &scratch)
        }
        symbols.emit(bytes, pieces, &scratch, into: &output)
    }

    private static let noRank = UInt32.max

    // MARK: Pairs

    /// What the tokens of two neighbouring ranges join into.
    @inline(__always)
    private func join(
        _ left: Int32, _ right: Int32, _ start: Int, _ middle: Int, _ end: Int, _ bytes: borrowing Span<UInt8>,
        _ pieces: PieceTable, _ scratch: inout Scratch
    ) -> MergeTable.Merge? {
        switch joining {
        case .merges(let table):
            return left < 0 || right < 0 ? nil : table[left, right]
        case .pieces(let ranks):
            guard end - start <= ranks.longest, let id = pieces.id(of: bytes, in: start..<end) else { return nil }
            let rank = ranks.ranks[id]
            if rank == Self.noRank { return nil }
            if ranks.hasUnused, pieces.kind(of: id) == .unused { scratch.splits[id] = middle - start }
            return MergeTable.Merge(rank: rank, result: Int32(id))
        }
    }

    // MARK: Short words

    /// `ranks[i]` is the rank of the pair (i, i + 1).
    private func mergeShort(_ bytes: borrowing Span<UInt8>, _ pieces: PieceTable, _ scratch: inout Scratch) {
        var count = scratch.tokens.count
        guard count > 1 else { return }
        scratch.ranks.removeAll(keepingCapacity: true)
        for index in 0..<count - 1 { scratch.ranks.append(rank(index, bytes, pieces, &scratch)) }
        while count > 1 {
            var best = 0
            var bestRank = scratch.ranks[0]
            var index = 1
            while index < count - 1 {
                if scratch.ranks[index] < bestRank {
                    best = index
                    bestRank = scratch.ranks[index]
                }
                index += 1
            }
            guard bestRank != Self.noRank, let merge = merge(best, bytes, pieces, &scratch) else { break }
            scratch.tokens[best] = merge.result
            scratch.tokens.remove(at: best + 1)
            scratch.starts.remove(at: best + 1)
            scratch.ranks.remove(at: best)
            count -= 1
            if best > 0 { scratch.ranks[best - 1] = rank(best - 1, bytes, pieces, &scratch) }
            if best < count - 1 { scratch.ranks[best] = rank(best, bytes, pieces, &scratch) }
        }
    }

    @inline(__always)
    private func merge(
        _ index: Int, _ bytes: borrowing Span<UInt8>, _ pieces: PieceTable, _ scratch: inout Scratch
    ) -> MergeTable.Merge? {
        join(
            scratch.tokens[index], scratch.tokens[index + 1], scratch.starts[index], scratch.starts[index + 1],
            scratch.starts[index + 2], bytes, pieces, &scratch)
    }

    @inline(__always)
    private func rank(
        _ index: Int, _ bytes: borrowing Span<UInt8>, _ pieces: PieceTable, _ scratch: inout Scratch
    ) -> UInt32 {
        merge(index, bytes, pieces, &scratch)?.rank ?? Self.noRank
    }

    // MARK: Long words

    /// A linked list of tokens and a heap of (rank, place): n log n, so that a word of megabytes is no trouble. Entries
    /// that a merge made stale stay in the heap, and are known by a rank that is no longer their place's.
    private func mergeLong(_ bytes: borrowing Span<UInt8>, _ pieces: PieceTable, _ scratch: inout Scratch) {
        let count = Int32(scratch.tokens.count)
        scratch.next = Array(1...count)
        scratch.previous = Array(-1..<count - 1)
        scratch.heap.removeAll()
        for place in 0..<count - 1 { push(place, bytes, pieces, &scratch) }
        while let (rank, place) = scratch.heap.popMinimum() {
            let index = Int(place)
            let right = scratch.next[index]
            // A place that was taken into another has no next.
            guard right > place, right < count, let merge = pair(place, bytes, pieces, &scratch), merge.rank == rank
            else { continue }
            scratch.tokens[index] = merge.result
            let after = scratch.next[Int(right)]
            scratch.next[Int(right)] = -1
            scratch.next[index] = after
            if after < count {
                scratch.previous[Int(after)] = place
                push(place, bytes, pieces, &scratch)
            }
            if scratch.previous[index] >= 0 { push(scratch.previous[index], bytes, pieces, &scratch) }
        }
        // What is left moves to the front.
        var kept = 0
        for place in 0..<Int(count) where scratch.next[place] > 0 {
            scratch.tokens[kept] = scratch.tokens[place]
            scratch.starts[kept] = scratch.starts[place]
            kept += 1
        }
        scratch.starts[kept] = scratch.starts[Int(count)]
        scratch.tokens.removeSubrange(kept...)
        scratch.starts.removeSubrange((kept + 1)...)
    }

    @inline(__always)
    private func pair(
        _ place: Int32, _ bytes: borrowing Span<UInt8>, _ pieces: PieceTable, _ scratch: inout Scratch
    ) -> MergeTable.Merge? {
        let right = Int(scratch.next[Int(place)])
        let end = Int(scratch.next[right])
        return join(
            scratch.tokens[Int(place)], scratch.tokens[right], scratch.starts[Int(place)], scratch.starts[right],
            scratch.starts[end], bytes, pieces, &scratch)
    }

    private func push(
        _ place: Int32, _ bytes: borrowing Span<UInt8>, _ pieces: PieceTable, _ scratch: inout Scratch
    ) {
        if let merge = pair(place, bytes, pieces, &scratch) { scratch.heap.push(rank: merge.rank, place: place) }
    }
}

/// The order in which pieces are put together where any two may be whose bytes are one.
struct PieceRanks: Sendable {
    /// Of each token; the highest number if nothing joins into it.
    let ranks: [UInt32]
    /// The bytes of the longest of them.
    let longest: Int
    let hasUnused: Bool

    /// Higher scores first, equal ones alike.
    init(scores: [Float], pieces: PieceTable) {
        // Most files list them in this order already, and then there is little to sort.
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        var ranks = [UInt32](repeating: .max, count: scores.count)
        var rank: UInt32 = 0
        for (place, id) in order.enumerated() {
            if place > 0, scores[id] != scores[order[place - 1]] { rank += 1 }
            ranks[id] = rank
        }
        self.init(pieces) { $0 < ranks.count ? ranks[$0] : .max }
    }

    /// By id, as in files of ranks.
    init(pieces: PieceTable) { self.init(pieces) { UInt32($0) } }

    private init(_ pieces: PieceTable, rank: (Int) -> UInt32) {
        var longest = 0
        var hasUnused = false
        ranks = (0..<pieces.count).map { id in
            let kind = pieces.kind(of: id)
            guard kind == .normal || kind == .unused, let bytes = pieces.bytes(of: id) else { return .max }
            longest = max(longest, bytes.count)
            if kind == .unused { hasUnused = true }
            return rank(id)
        }
        self.longest = longest
        self.hasUnused = hasUnused
    }
}
