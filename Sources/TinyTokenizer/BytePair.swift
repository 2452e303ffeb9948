/// Byte-pair encoding: a word begins as its bytes, and of all neighbours that can join, those of the lowest rank do,
/// the leftmost first, until none can.
///
/// Sennrich, Haddow and Birch 2016, arXiv:1508.07909
struct BytePair: Sendable {
    let merges: MergeTable
    /// The token of each byte, or −1: a vocabulary may lack bytes that its training text did not have.
    let byteTokens: [Int32]
    /// A word that is a token as a whole becomes that token, whatever the merges say (`ignore_merges`).
    let takesWholeWords: Bool

    /// Memory that one text's words share.
    struct Scratch {
        fileprivate var tokens: [Int32] = []
        fileprivate var ranks: [UInt32] = []
        fileprivate var next: [Int32] = []
        fileprivate var previous: [Int32] = []
        fileprivate var heap = MinimumHeap()
    }

    /// Up to here the lowest rank is searched in a row of words' length; beyond, with a heap.
    static let scanLimit = 48

    /// Appends the tokens of one word. Bytes without a token are left out, as the Python package `tokenizers` does.
    func encode(
        _ bytes: borrowing Span<UInt8>, _ word: Range<Int>, _ pieces: PieceTable, _ scratch: inout Scratch,
        into output: inout [Int]
    ) {
        if takesWholeWords, let id = pieces.id(of: bytes, in: word), pieces.kind(of: id) != .special {
            output.append(id)
            return
        }
        scratch.tokens.removeAll(keepingCapacity: true)
        for index in word {
            let token = byteTokens[Int(bytes[index])]
            if token >= 0 { scratch.tokens.append(token) }
        }
        if scratch.tokens.count <= Self.scanLimit {
            mergeShort(&scratch)
            for token in scratch.tokens { output.append(Int(token)) }
        } else {
            mergeLong(&scratch, into: &output)
        }
    }

    private static let noRank = UInt32.max

    // MARK: Short words

    /// `ranks[i]` is the rank of the pair (i, i + 1).
    private func mergeShort(_ scratch: inout Scratch) {
        var count = scratch.tokens.count
        guard count > 1 else { return }
        scratch.ranks.removeAll(keepingCapacity: true)
        for index in 1..<count {
            scratch.ranks.append(rank(scratch.tokens[index - 1], scratch.tokens[index]))
        }
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
            guard bestRank != Self.noRank, let merge = merges[scratch.tokens[best], scratch.tokens[best + 1]] else {
                break
            }
            scratch.tokens[best] = merge.result
            scratch.tokens.remove(at: best + 1)
            scratch.ranks.remove(at: best)
            count -= 1
            if best > 0 { scratch.ranks[best - 1] = rank(scratch.tokens[best - 1], merge.result) }
            if best < count - 1 { scratch.ranks[best] = rank(merge.result, scratch.tokens[best + 1]) }
        }
    }

    private func rank(_ left: Int32, _ right: Int32) -> UInt32 { merges[left, right]?.rank ?? Self.noRank }

    // MARK: Long words

    /// A linked list of tokens and a heap of (rank, place): n log n, so that a word of megabytes is no trouble. Entries
    /// that a merge made stale stay in the heap, and are known by a rank that is no longer their place's.
    private func mergeLong(_ scratch: inout Scratch, into output: inout [Int]) {
        let count = Int32(scratch.tokens.count)
        scratch.next = Array(1...count)
        scratch.previous = Array(-1..<count - 1)
        scratch.heap.removeAll()
        for place in 0..<count - 1 { push(place, &scratch) }
        while let (rank, place) = scratch.heap.popMinimum() {
            let index = Int(place)
            let right = scratch.next[index]
            guard scratch.tokens[index] >= 0, right < count,
                let merge = merges[scratch.tokens[index], scratch.tokens[Int(right)]], merge.rank == rank
            else { continue }
            scratch.tokens[index] = merge.result
            scratch.tokens[Int(right)] = -1
            let after = scratch.next[Int(right)]
            scratch.next[index] = after
            if after < count {
                scratch.previous[Int(after)] = place
                push(place, &scratch)
            }
            if scratch.previous[index] >= 0 { push(scratch.previous[index], &scratch) }
        }
        for token in scratch.tokens where token >= 0 { output.append(Int(token)) }
    }

    private func push(_ place: Int32, _ scratch: inout Scratch) {
        let left = scratch.tokens[Int(place)]
        let right = scratch.tokens[Int(scratch.next[Int(place)])]
        if let merge = merges[left, right] { scratch.heap.push(rank: merge.rank, place: place) }
    }
}

/// A binary heap of (rank, place), lowest rank first and then the leftmost place: both in one word, rank in front.
private struct MinimumHeap {
    private var items: [UInt64] = []

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }

    mutating func push(rank: UInt32, place: Int32) {
        let item = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: place))
        items.append(item)
        var index = items.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            if items[parent] <= item { break }
            items[index] = items[parent]
            index = parent
        }
        items[index] = item
    }

    mutating func popMinimum() -> (rank: UInt32, place: Int32)? {
        guard let minimum = items.first, let item = items.popLast() else { return nil }
        let count = items.count
        if count > 0 {
            var index = 0
            while true {
                var child = 2 * index + 1
                if child >= count { break }
                if child + 1 < count, items[child + 1] < items[child] { child += 1 }
                if item <= items[child] { break }
                items[index] = items[child]
                index = child
            }
            items[index] = item
        }
        return (UInt32(minimum >> 32), Int32(truncatingIfNeeded: minimum & 0xFFFF_FFFF))
    }
}
