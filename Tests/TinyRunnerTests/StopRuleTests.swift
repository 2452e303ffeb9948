import Testing
import TinyRunner
import TinyTestSupport

@Suite("Stop strings")
struct StopRuleTests {
    /// The text that comes out when it arrives in these pieces, and what stopped it.
    private func run(_ stops: [String], _ pieces: [String]) -> (text: String, found: String?) {
        var rule = StopRule(stops)
        var text = ""
        for piece in pieces { text += rule.append(piece) }
        return (text + rule.finish(), rule.found)
    }

    struct Case: Sendable {
        let stops: [String]
        let pieces: [String]
        let text: String
        let found: String?

        init(_ stops: [String], _ pieces: [String], _ text: String, _ found: String?) {
            (self.stops, self.pieces, self.text, self.found) = (stops, pieces, text, found)
        }
    }

    static let cases: [Case] = [
        Case(["END"], ["abc", "EN", "D rest"], "abc", "END"),
        Case(["END"], ["E", "N", "D"], "", "END"),
        Case(["END"], ["abEN", "x"], "abENx", nil),
        Case(["END"], ["abEN"], "abEN", nil),
        Case(["END"], ["EEN", "D"], "E", "END"),
        Case(["aab"], ["aaa", "b"], "a", "aab"),
        Case(["abab!"], ["ababab", "!"], "ab", "abab!"),
        Case(["\n\n"], ["a\n", "\nb"], "a", "\n\n"),
        Case(["bcd", "xy"], ["ab", "cx", "y"], "abc", "xy"),
        Case(["b", "abc"], ["ab", "x"], "a", "b"),
        Case(["abc", "b"], ["ab", "c"], "", "abc"),
        Case(["", "x"], ["a", "xb"], "a", "x"),
        Case([""], ["abc"], "abc", nil),
        Case([], ["abc"], "abc", nil),
        Case(["终"], ["开始", "终止"], "开始", "终"),
        Case(["👍🏽"], ["ok 👍", "🏽!"], "ok ", "👍🏽"),
        Case(["é"], ["e\u{301}"], "e\u{301}", nil),
        // Only a part of a candidate, but it holds another: when the text ends there, the other one counts.
        Case(["abc", "b"], ["ab"], "a", "b"),
    ]

    @Test(arguments: cases) func cutByHand(_ it: Case) {
        let result = run(it.stops, it.pieces)
        // Bytes, as Swift calls canonically equivalent texts equal.
        #expect(Array(result.text.utf8) == Array(it.text.utf8))
        #expect(result.found == it.found)
    }

    @Test func nothingAfterTheStop() {
        var rule = StopRule(["x"])
        #expect(rule.append("axb") == "a")
        #expect(rule.append("more") == "")
        #expect(rule.finish() == "")
    }

    /// Text is held no longer than it must be.
    @Test func whatIsHeld() {
        var rule = StopRule(["<end>"])
        #expect(rule.append("hello <") == "hello ")
        #expect(rule.append("b") == "<b")
        #expect(rule.append("<en") == "")
        #expect(rule.finish() == "<en")
    }

    /// However a text is cut, the same comes out: what stands before the first stop string, if there is one.
    @Test func anyCut() {
        var random = SplitMix64(seed: 7)
        let letters: [Character] = ["a", "b", "c", "é", "终"]
        func word(_ length: Int) -> String { String((0..<length).map { _ in letters[random.below(letters.count)] }) }
        for _ in 0..<4000 {
            let stops = (0..<1 + random.below(3)).map { _ in word(1 + random.below(4)) }
            let whole = Array(word(random.below(14)))
            var pieces: [String] = []
            var start = 0
            while start < whole.count {
                let end = min(whole.count, start + 1 + random.below(4))
                pieces.append(String(whole[start..<end]))
                start = end
            }
            let bytes = Array(String(whole).utf8)
            let first = bytes.indices.first { i in stops.contains { bytes[i...].starts(with: $0.utf8) } }
            let expected = Array(bytes[..<(first ?? bytes.count)])
            #expect(Array(run(stops, pieces).text.utf8) == expected, "\(stops) in \(pieces)")
            #expect((run(stops, pieces).found != nil) == (first != nil), "\(stops) in \(pieces)")
        }
    }
}
