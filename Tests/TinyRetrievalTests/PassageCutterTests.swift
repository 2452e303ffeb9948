import Testing
import TinyTestSupport

@testable import TinyRetrieval

@Suite("Passages") struct PassageCutterTests {
    private func cut(_ text: String, limit: Int = 20) -> [Passage] {
        PassageCutter(tokenLimit: limit, tokenCount: FakeEmbedder().tokenCount).passages(of: text)
    }

    @Test func nothingInNothing() {
        for text in ["", " ", "\n\n\r\n\t\u{3000}", "\u{FEFF}", "\u{FEFF}\n"] { #expect(cut(text) == []) }
    }

    @Test func paragraphsAndTheirLines() {
        let text = "\u{FEFF}One two three four five six.\r\nSeven eight.\r\n\r\n\r\nNine ten eleven twelve thirteen.\n"
        #expect(
            cut(text)
                == [
                    Passage(lines: 1...2, bytes: 3..<45, text: "One two three four five six.\r\nSeven eight."),
                    Passage(lines: 5...5, bytes: 51..<83, text: "Nine ten eleven twelve thirteen."),
                ])
    }

    /// A heading stays with what it is about, and short paragraphs stay together.
    @Test func headings() {
        let text = "# Cats\n\n## Food\n\nFish and milk.\n\nMice.\n\n## Sleep\n\nOn the sofa."
        #expect(
            cut(text, limit: 40).map(\.text) == [
                "# Cats\n\n## Food\n\nFish and milk.\n\nMice.", "## Sleep\n\nOn the sofa.",
            ])
    }

    @Test func sentencesOverlap() {
        let text = "a b c d e f. g h i j k l. m n o. p q r. s t u v w x y z."
        #expect(
            cut(text).map(\.text) == ["a b c d e f. g h i j k l. m n o. p q r.", "p q r. s t u v w x y z."])
    }

    @Test func chinese() {
        let text = "猫喜欢吃鱼和喝牛奶。狗喜欢在公园里奔跑！“鸟会飞吗？”他问；她说会。"
        #expect(
            cut(text).map(\.text) == ["猫喜欢吃鱼和喝牛奶。狗喜欢在公园里奔跑！", "“鸟会飞吗？”他问；她说会。"])
        #expect(
            TextBreak.places(in: text).filter { $0.kind == .sentence }.map { text.utf8.prefix($0.offset).count }
                == ["猫喜欢吃鱼和喝牛奶。", "狗喜欢在公园里奔跑！", "“鸟会飞吗？”", "他问；"].reduce(into: [Int]()) {
                    $0.append(($0.last ?? 0) + $1.utf8.count)
                })
    }

    /// No cut inside a number, and one behind a closing quote.
    @Test func sentenceEnds() {
        let text = "He paid 3.50 euros. \"Why?\" she said! (Really.) End"
        let ends = TextBreak.places(in: text).map { String(decoding: Array(text.utf8)[..<$0.offset], as: UTF8.self) }
        #expect(
            ends == [
                "He paid 3.50 euros.", "He paid 3.50 euros. \"Why?\"", "He paid 3.50 euros. \"Why?\" she said!",
                "He paid 3.50 euros. \"Why?\" she said! (Really.)", text,
            ])
    }

    @Test func withoutAnyPlaceToCut() {
        let words = (0..<50).map { "word\($0 % 7)" }.joined(separator: " ")
        #expect(cut(words).count == 3)
        let characters = String(repeating: "字", count: 50)
        #expect(cut(characters).map(\.text.count) == [20, 20, 10])
        // One token, however long: the number of bytes is bounded too.
        let letters = String(repeating: "é", count: 1000)
        #expect(
            cut(letters).allSatisfy { $0.text.utf8.count <= 20 * 16 } && cut(letters).map(\.text).joined() == letters)
        // A single character of too many tokens is a passage nonetheless.
        #expect(
            PassageCutter(tokenLimit: 1, tokenCount: { $0.count * 5 }).passages(of: "ab").map(\.text) == ["a", "b"])
    }

    /// Random texts: nothing is lost, nothing is too long, and every passage stands where it says.
    @Test func everythingIsCovered() {
        var random = SplitMix64(seed: 7)
        let parts = ["a ", "word ", "猫", "狗。", "end. ", "\n", "\n\n", "\r\n", "# h\n", "“q!” ", "👍🏽", "\u{3000}", "x"]
        for _ in 0..<60 {
            let text = (0..<120).map { _ in parts[Int(random.next() % UInt64(parts.count))] }.joined()
            let bytes = Array(text.utf8)
            var covered = [Bool](repeating: false, count: bytes.count)
            var last = -1
            for passage in cut(text, limit: 9) {
                #expect(Array(passage.text.utf8) == Array(bytes[passage.bytes]))
                #expect(FakeEmbedder().tokenCount(of: passage.text) <= 9)
                #expect(passage.bytes.lowerBound > last, "passages begin one behind the other")
                last = passage.bytes.lowerBound
                let line = 1 + bytes[..<passage.bytes.lowerBound].count { $0 == 10 }
                #expect(passage.lines == line...line + passage.text.utf8.count { $0 == 10 })
                for index in passage.bytes { covered[index] = true }
            }
            let lost = zip(bytes, covered).filter { !$1 }.map(\.0)
            #expect(String(decoding: lost, as: UTF8.self).unicodeScalars.allSatisfy(TextBreak.isBlank))
        }
    }
}
