/// A unigram language model: of all ways to cut a text into pieces, the one whose scores have the highest sum.
///
///     best(e) = max over pieces [s, e) of best(s) + score(piece)
///
/// Kudo 2018, arXiv:1804.10959
struct Unigram: Sendable {
    private var trie = ByteTrie()
    private var scores: [Double]
    private let unknownScore: Double
    let unknown: Int?
    /// The tokens that stand in for the bytes of a text without a piece; empty if the file does not want that.
    let byteTokens: [Int32]
    /// SentencePiece keeps its sums in 32 bits, the Python package `tokenizers` in 64: it decides between near equals.
    let isSinglePrecision: Bool

    struct Scratch {
        fileprivate var best: [Double] = []
        fileprivate var starts: [Int32] = []
        fileprivate var ids: [Int32] = []
    }

    /// - Parameters:
    ///   - scores: by id.
    ///   - lowest: the lowest score there is, from which the score of the unknown is made.
    init(
        pieces: PieceTable, scores: [Double], lowest: Double, unknown: Int?, byteTokens: [Int32],
        isSinglePrecision: Bool
    ) {
        self.scores = scores
        self.unknown = unknown
        self.byteTokens = byteTokens
        self.isSinglePrecision = isSinglePrecision
        // What SentencePiece takes off for a character that no piece has.
        unknownScore = isSinglePrecision ? Double(Float(lowest) - 10) : lowest - 10
        for id in 0..<pieces.count where pieces.kind(of: id) == .normal || pieces.kind(of: id) == .added {
            if let text = pieces.bytes(of: id) { _ = trie.insert(Array(text), value: Int32(id)) }
        }
    }

    func encode(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ scratch: inout Scratch, into output: inout [Int]
    ) {
        let count = range.count
        scratch.best = [Double](repeating: 0, count: count + 1)
        scratch.starts = [Int32](repeating: -1, count: count + 1)
        scratch.ids = [Int32](repeating: -1, count: count + 1)
        var position = 0
        while position < count {
            let start = range.lowerBound + position
            let length = DecodedScalar(bytes, at: start, limit: range.upperBound).length
            let before = scratch.best[position]
            var node: UInt32 = 0
            var end = start
            var hasCharacter = false
            while end < range.upperBound {
                node = trie.child(node, bytes[end])
                if node == 0 { break }
                end += 1
                let id = trie.value(node)
                if id < 0 { continue }
                if end - start == length { hasCharacter = true }
                offer(before + scores[Int(id)], from: position, to: end - range.lowerBound, id, &scratch)
            }
            if !hasCharacter { offer(before + unknownScore, from: position, to: position + length, -1, &scratch) }
            position += length
        }
        emit(bytes, range, &scratch, into: &output)
    }

    @inline(__always)
    private func offer(_ score: Double, from start: Int, to end: Int, _ id: Int32, _ scratch: inout Scratch) {
        let score = isSinglePrecision ? Double(Float(score)) : score
        guard scratch.starts[end] < 0 || score > scratch.best[end] else { return }
        scratch.best[end] = score
        scratch.starts[end] = Int32(start)
        scratch.ids[end] = id
    }

    /// The best way, read from its end: its places are marked first.
    private func emit(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ scratch: inout Scratch, into output: inout [Int]
    ) {
        var ends: [Int] = []
        var end = range.count
        while end > 0 {
            ends.append(end)
            end = Int(scratch.starts[end])
        }
        var index = ends.count - 1
        while index >= 0 {
            let id = scratch.ids[ends[index]]
            if id >= 0 {
                output.append(Int(id))
                index -= 1
                continue
            }
            // A row of unknown characters counts as one.
            let start = Int(scratch.starts[ends[index]])
            while index > 0, scratch.ids[ends[index - 1]] < 0 { index -= 1 }
            appendUnknown(bytes, range.lowerBound + start..<range.lowerBound + ends[index], into: &output)
            index -= 1
        }
    }

    private func appendUnknown(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, into output: inout [Int]) {
        var hasAll = !byteTokens.isEmpty
        if hasAll { for index in range where byteTokens[Int(bytes[index])] < 0 { hasAll = false } }
        if hasAll {
            for index in range { output.append(Int(byteTokens[Int(bytes[index])])) }
        } else if let unknown {
            output.append(unknown)
        }
    }
}
