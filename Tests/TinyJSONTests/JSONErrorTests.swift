import Testing
import TinyJSON
import TinyTestSupport

@Suite struct JSONErrorTests {
    /// Each text is wrong at one byte.
    @Test(arguments: [
        ("", 0), ("   ", 3), ("tru", 0), ("True", 0), ("nul", 0), ("nan", 0), ("NaN", 0), ("Infinity", 0),
        ("-Infinity", 1), ("truex", 4), ("1 2", 2),
        ("-", 1), ("+1", 0), (".5", 0), ("1.", 2), ("1.e5", 2), ("1e", 2), ("1e+", 3), ("1e5.5", 3), ("01", 0),
        ("-01", 0), ("00", 0), ("0x10", 1),
        ("1e400", 0), ("[-1e999]", 1), ("1_000", 1),
        ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("[1}", 2), ("]", 0),
        ("{", 1), ("{1:2}", 1), ("{a:1}", 1), ("{'a':1}", 1), ("{\"a\"}", 4), ("{\"a\" 1}", 5), ("{\"a\":}", 5),
        ("{\"a\":1", 6), ("{\"a\":1,}", 7),
        ("{\"a\":1 \"b\":2}", 7), ("{\"a\":1]", 6), ("{,}", 1), ("}", 0),
        ("\"", 0), ("\"abc", 0), ("[\"abc]", 1), ("\"a\nb\"", 2), ("\"\u{1}\"", 1), ("\"\\", 2), ("\"\\x\"", 2),
        ("\"\\U0041\"", 2), ("\"\\\u{1B}\"", 2),
        ("\"\\u12\"", 3), ("\"\\u12", 3), ("\"\\u00g0\"", 3), ("\"\\u+123\"", 3), ("\"\\ud83d\\u12\"", 9),
        ("\"\\uff\u{FF11}\"", 3),
        ("// a\n1", 0), ("1 // a", 2), ("/**/1", 0), ("\u{A0}1", 0), ("1\0", 1), ("[1\u{C}]", 2),
        ("{\"a\":1,\"a\":2}", 7), ("{\"a\":{\"b\":1,\"b\":1}}", 12), ("{\"a\":1,\"\\u0061\":2}", 7),
    ])
    func wrong(_ text: String, _ byte: Int) {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
        #expect(error?.byte == byte, "\(text.debugDescription): \(String(describing: error))")
        #expect(error?.reason.isEmpty == false)
    }

    @Test(
        arguments: [
            ([0x22, 0xFF, 0x22], 0), ([0x22, 0xC3, 0x22], 0), ([0x5B, 0x22, 0xC0, 0x80, 0x22, 0x5D], 1),
            ([0x22, 0xED, 0xA0, 0x80, 0x22], 0),
            ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 0), ([0x22, 0x5C, 0x6E, 0xE9, 0x22], 0), ([0xFF], 0),
            ([0xEF, 0xBB], 0), ([0xFE, 0xFF, 0x00, 0x31], 0),
        ] as [([UInt8], Int)])
    func notUTF8(_ bytes: [UInt8], _ byte: Int) {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
        #expect(error?.byte == byte, "\(String(describing: error))")
    }

    @Test func onlyADuplicateIsCalledOne() {
        let twice = #expect(throws: JSONError.self) { try JSON(parsing: "{\"a\":1,\"a\":1}") }
        #expect(twice?.isDuplicateKey == true)
        let other = #expect(throws: JSONError.self) { try JSON(parsing: "{\"twice\" 1}") }
        #expect(other?.isDuplicateKey == false)
    }

    /// Messages reach a terminal, and texts come from files.
    @Test(arguments: [
        "{\"\\u001b[2J\" 1}", "{\"\\u009b2J\":1,\"\\u009b2J\":1}", "\"\\\u{1B}\"", "\u{1B}", "\"\\\u{85}\"",
    ])
    func messagesHoldNoControlCharacters(_ text: String) {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
        let message = error?.description ?? ""
        #expect(
            !message.unicodeScalars.contains { $0.value < 0x20 || 0x7F..<0xA0 ~= $0.value },
            "\(message.debugDescription)")
    }

    @Test func messagesAreShort() {
        let long = String(repeating: "9", count: 4000)
        for text in ["{\"\(long)\" 1}", "{\"\(long)\":1,\"\(long)\":1}", "1\(long)"] {
            let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
            #expect((error?.description.utf8.count ?? 0) < 300)
        }
    }

    @Test(arguments: ["[", "{\"a\":", "[[{\"a\":"]) func depth(_ opening: String) throws {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: opening, count: 100_000)) }
        #expect(error?.reason.contains("128") == true)
    }

    @Test func depthLimitIsExact() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        // The outermost array is at depth 0.
        #expect(try JSON(parsing: nested(129)).array?.count == 1)
        #expect(throws: JSONError.self) { try JSON(parsing: nested(130)) }
        #expect(try JSON(parsing: nested(3), depthLimit: 2).array?.count == 1)
        let error = #expect(throws: JSONError.self) { try JSON(parsing: nested(4), depthLimit: 2) }
        #expect(error?.byte == 3)
    }

    @Test func valueLimitIsExact() throws {
        let text = Array("[1,{\"a\":2},[]]".utf8)  // the array, 1, the object, 2, the empty array
        #expect(try JSON(parsing: text, valueLimit: 5).array?.count == 3)
        let error = #expect(throws: JSONError.self) { try JSON(parsing: text, valueLimit: 4) }
        #expect(error?.byte == 11)
        #expect(throws: JSONError.self) { try JSON(parsing: text, valueLimit: 0) }
    }

    /// Cut anywhere, a text is wrong at its end or before; spoiled anywhere, it is read or refused, and nothing traps.
    @Test func cutAndSpoiledTexts() throws {
        let text = readFile(Fixtures.path("llama-llama3/config.json"))
        let whole = try JSON(parsing: text)
        #expect(whole.object?["model_type"] == .string("llama"))
        let end = try #require(text.lastIndex(of: UInt8(ascii: "}")))
        for length in 0...end {
            let error = #expect(throws: JSONError.self) { try JSON(parsing: Array(text[..<length])) }
            #expect((error?.byte ?? .max) <= length)
        }
        var random = SplitMix64(seed: 7)
        for _ in 0..<300 {
            var copy = text
            for _ in 0...random.below(3) { copy[random.below(copy.count)] = UInt8(random.below(256)) }
            do { #expect(try JSON(parsing: copy).object != nil) } catch { #expect(error.byte <= copy.count) }
        }
    }
}
