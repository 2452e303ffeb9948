import Testing
import TinyTensor
import TinyTestSupport

@testable import TinyRetrieval

@Suite("Ranking") struct RankingTests {
    /// Numbers of vectors around the size of a block, against plain sums in double.
    @Test(arguments: [(0, 8), (1, 5), (15, 384), (300, 33), (4096, 8), (4097, 3)])
    func bestOfAll(_ count: Int, _ width: Int) throws {
        var random = SplitMix64(seed: UInt64(count))
        func vector() -> [Float] { (0..<width).map { _ in Float(random.next() % 2001) / 1000 - 1 } }
        let (query, vectors) = (vector(), (0..<count).map { _ in vector() })
        let ranking = Ranking(query: query, top: 7, compute: try Compute(precision: .exact, threads: 2))
        for (id, vector) in vectors.enumerated() { vector.withUnsafeBytes { ranking.add(Int64(id), $0) } }
        let found = ranking.finish()
        let scores = vectors.map { zip($0, query).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } }
        let expected = scores.indices.sorted { scores[$0] > scores[$1] }.prefix(7)
        #expect(found.count == min(7, count))
        // Sums of some hundred products of numbers below 1, in float.
        let tolerance = Double(width) * 1e-6
        for (candidate, index) in zip(found, expected) {
            #expect(abs(Double(candidate.score) - scores[index]) < tolerance)
            #expect(abs(scores[Int(candidate.id)] - scores[index]) < tolerance)
        }
        #expect(ranking.invalid == nil)
    }

    @Test func equalsInOrder() {
        var best = BestCandidates(capacity: 3)
        for id in [5, 1, 4, 2, 3] as [Int64] { best.add(Ranking.Candidate(id: id, score: 0.5)) }
        #expect(best.sorted.map(\.id) == [1, 2, 3])
        best.add(Ranking.Candidate(id: 9, score: 0.6))
        #expect(best.sorted.map(\.id) == [9, 1, 2])
    }

    @Test func whatIsNoNumber() throws {
        let ranking = Ranking(query: [1, 0], top: 5, compute: try Compute(precision: .exact, threads: 1))
        for (id, vector) in [[1, 0], [.nan, 0], [0, .infinity], [0.5, 0]].enumerated() as EnumeratedSequence<[[Float]]>
        {
            vector.withUnsafeBytes { ranking.add(Int64(id), $0) }
        }
        #expect(ranking.finish().map(\.id) == [0, 3] && ranking.invalid == 1)
    }
}
