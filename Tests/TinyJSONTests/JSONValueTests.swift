import Testing
import TinyJSON

@Suite struct JSONValueTests {
    @Test(
        arguments: [
            ("null", .null), ("true", .bool(true)), ("false", .bool(false)), ("0", .integer(0)), ("-0", .integer(0)),
            ("-12", .integer(-12)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(0x1p63)), ("-9223372036854775809", .number(-0x1p63)),
            ("1.0", .number(1)), ("1e2", .number(100)), ("1E+2", .number(100)), ("25e-1", .number(2.5)),
            ("-0.5", .number(-0.5)),
            ("1e-400", .number(0)), ("5e-324", .number(.leastNonzeroMagnitude)),
            ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
            ("0.1", .number(0.1)), ("\"\"", .string("")), ("[]", .array([])),
            ("[1,[2],\"3\"]", .array([.integer(1), .array([.integer(2)]), .string("3")])),
            (" \t\r\n1 \t\r\n", .integer(1)), ("\u{FEFF}1", .integer(1)), ("{}", .object(JSONObject())),
        ] as [(String, JSON)])
    func value(_ text: String, _ value: JSON) throws { #expect(try JSON(parsing: text) == value) }

    @Test(arguments: [
        (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"),
        (#""\u0041\u00e9\u00E9\u65e5""#, "Aéé日"),
        (#""\u0000x""#, "\0x"), (#""\ud83d\ude00""#, "😀"), (#""\uD834\uDD1E!""#, "𝄞!"),
        (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
        // Half a pair, in every company: no UTF-8 spells it.
        (#""\ud83d""#, "\u{FFFD}"), (#""\ude00""#, "\u{FFFD}"), (#""\ud83dx""#, "\u{FFFD}x"),
        (#""\ud83d\n""#, "\u{FFFD}\n"),
        (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
        (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
        ("\"é日😀\u{7F}\u{2028}\"", "é日😀\u{7F}\u{2028}"), (#""/\u002F""#, "//"), (#""\\u0041""#, "\\u0041"),
    ])
    func string(_ text: String, _ value: String) throws {
        let parsed = try #require(try JSON(parsing: text).string)
        #expect(Array(parsed.utf8) == Array(value.utf8))
    }

    /// Equal to Swift, different to a file: "é" in one code point and in two.
    @Test func keysAreComparedByTheirBytes() throws {
        let object = try #require(try JSON(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2,\"\u{212A}\":3,\"K\":4}").object)
        #expect(object.count == 4)
        #expect(object["\u{E9}"] == .integer(1) && object["e\u{301}"] == .integer(2))
        #expect(object["\u{212A}"] == .integer(3) && object["K"] == .integer(4) && object["k"] == nil)
        #expect(ExactKey("\u{E9}") != ExactKey("e\u{301}") && ExactKey("a") == ExactKey("a"))
    }

    @Test func membersKeepTheirOrder() throws {
        let object = try #require(try JSON(parsing: "{\"z\":1,\"a\":{\"z\":null},\"\":[]}").object)
        #expect(object.keys == ["z", "a", ""] && object.values.count == 3 && !object.isEmpty)
        #expect(object["a"]?.object?["z"]?.isNull == true && object[""] == .array([]))
        var copy = object
        #expect(!copy.append("z", .null) && copy == object)
        #expect(copy.append("y", .null) && copy != object && copy.keys.last == "y")
    }

    @Test func accessorsGiveOnlyWhatIsThere() throws {
        let values = try #require(try JSON(parsing: "[null,true,1,1.5,\"1\",[],{}]").array)
        #expect(values.map { $0.integer } == [nil, nil, 1, nil, nil, nil, nil])
        #expect(values.map { $0.double } == [nil, nil, 1, 1.5, nil, nil, nil])
        #expect(values.map { $0.string } == [nil, nil, nil, nil, "1", nil, nil])
        #expect(values.map { $0.bool } == [nil, true, nil, nil, nil, nil, nil])
        #expect(values.map { $0.isNull } == [true, false, false, false, false, false, false])
        #expect(
            values.map(\.kind) == [
                "null", "true or false", "a number", "a number", "a string", "an array", "an object",
            ])
    }
}
