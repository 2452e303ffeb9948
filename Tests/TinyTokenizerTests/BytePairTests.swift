import Testing

@testable import TinyTokenizer

@Suite struct BytePairTests {
    /// The definition: of all neighbours, the pair of the lowest rank, the leftmost first.
    private func merged(_ word: [String], _ merges: [[String]]) -> [String] {
        var parts = word
        while true {
            let pairs = zip(parts, parts.dropFirst()).enumerated().compactMap { index, pair in
                merges.firstIndex(of: [pair.0, pair.1]).map { (rank: $0, index: index) }
            }
            guard let best = pairs.min(by: { ($0.rank, $0.index) < ($1.rank, $1.index) }) else { return parts }
            parts.replaceSubrange(best.index...best.index + 1, with: [parts[best.index] + parts[best.index + 1]])
        }
    }

    @Test func bothWaysOfMergingFollowTheDefinition() throws {
        let merges = [
            ["b", "a"], ["a", "a"], ["a", "b"], ["aa", "aa"], ["ab", "ab"], ["ba", "b"], ["c", "aa"], ["aaaa", "b"],
            ["abab", "c"], ["aa", "b"],
        ]
        let results = merges.map { $0.joined() }
        // Two merges may lead to one piece.
        let unique = results.enumerated().filter { results.firstIndex(of: $1) == $0 }.map(\.element)
        let tokenizer = try Tokenizer(
            vocabulary: vocabulary(unique, merges: merges.map { $0.joined(separator: " ") }))
        var state: UInt64 = 1
        for length in [1, 2, 3, 7, 20, 47, 48, 49, 50, 90] {
            for _ in 0..<6 {
                let word = (0..<length).map { _ -> String in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return ["a", "b", "a", "c"][Int(state >> 62)]
                }
                let pieces = try tokenizer.encode(word.joined()).map { token throws in try tokenizer.piece(token) }
                #expect(pieces == merged(word, merges), "\(word.joined())")
            }
        }
    }

    @Test func wholeWordsGoFirstWhereTheFileSaysSo() throws {
        let extra = ["ab", "xyz"]
        let plain = try Tokenizer(vocabulary: vocabulary(extra, merges: ["a b"], pre: "gpt-2"))
        #expect(plain.encode("xyz") == [0x78, 0x79, 0x7A])
        var whole = vocabulary(extra, merges: ["a b"], pre: "llama-bpe")
        whole.beginningOfText = 0
        #expect(try Tokenizer(vocabulary: whole).encode("xyz") == [257])
        whole.types = Array(repeating: 1, count: 257) + [3]
        #expect(try Tokenizer(vocabulary: whole).encode("xyz") == [0x78, 0x79, 0x7A])
    }
}
