import Testing

@testable import TinyTokenizer

@Suite struct CharacterClassTests {
    /// Counts as the generator found them: a table that is read wrongly would not keep all five.
    @Test func theTableHoldsEveryClass() {
        var letters = 0, numbers = 0, spaces = 0, numeric = 0
        let classes = CharacterClasses.shared
        for value in UInt32(0)..<0x110000 where !(0xD800..<0xE000 ~= value) {
            let found = classes[value]
            if found.isLetter { letters += 1 }
            if found.isNumber { numbers += 1 }
            if found.isNumeric { numeric += 1 }
            if found.isSpace { spaces += 1 }
        }
        #expect(letters == 141028)
        #expect(numbers == 1911)
        #expect(numeric == 1924)
        #expect(spaces == 25)
    }

    @Test func asciiIsAsExpected() {
        for value in UInt32(0)..<128 {
            let scalar = Unicode.Scalar(value)!
            let found = CharacterClasses.shared[value]
            #expect(found.isLetter == scalar.properties.isAlphabetic)
            #expect(found.isNumber == ("0"..."9" ~= scalar))
            #expect(found.isSpace == scalar.properties.isWhitespace)
            #expect(found.isWord == (found.isLetter || found.isNumber || scalar == "_"))
            #expect(!found.isUnstable)
        }
    }

    @Test func piecesCoverTheText() {
        let text = Array("I'll  pay 1234€ (or\n\n more)\t for it's\u{3000} 第12章 e\u{301} ".utf8)
        let all: [PreTokenizer] = [
            PreTokenizer(steps: []), PreTokenizer(steps: [.pattern(.classic)]),
            PreTokenizer(steps: [.pattern(.modern(digits: 1))]), PreTokenizer(steps: [.digits(individually: false)]),
            PreTokenizer(steps: [.digits(individually: true), .pattern(.classic)]),
        ]
        for preTokenizer in all {
            var cursor = CutCursor(preTokenizer.before, over: 0..<text.count)
            var end = 0
            while let word = cursor.next(text.span, .shared) {
                #expect(word.lowerBound == end && !word.isEmpty)
                end = word.upperBound
            }
            #expect(end == text.count)
        }
    }

    @Test(arguments: [
        ("e\u{301}", "\u{E9}"), ("s\u{323}\u{307}", "\u{1E69}"), ("s\u{307}\u{323}", "\u{1E69}"),
        ("\u{212B}", "\u{C5}"),
        ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}"), ("\u{AC00}\u{11A8}", "\u{AC01}"), ("\u{958}", "\u{915}\u{93C}"),
        ("\u{301}", "\u{301}"), ("ab", "ab"), ("\u{E9}\u{323}x", "\u{1EB9}\u{301}x"), ("\u{F900}", "\u{8C48}"),
    ])
    func composes(_ text: String, _ expected: String) {
        let bytes = Array(text.utf8)
        let result = Normalizer.canonicalComposition.apply(bytes, 0..<bytes.count) ?? bytes
        #expect(result == Array(expected.utf8))
    }
}
