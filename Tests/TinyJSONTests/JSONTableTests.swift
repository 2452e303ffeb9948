import Testing
import TinyJSON

/// Tables hold what a tree would, are made where they are asked for only, and hide nothing that is wrong.
@Suite struct JSONTableTests {
    private func table(_ text: String) throws -> JSON? {
        try JSON(parsing: Array("{\"a\":{\"b\":\(text)}}".utf8), tables: [["a", "b"]]).object?["a"]?.object?["b"]
    }

    @Test func forms() throws {
        let integers = try #require(try table("{ \"x\" : 1 , \"\\u00e9\\n\":-20, \"\":12345678901}")?.table)
        #expect(integers.form == .integers && integers.isObject && integers.count == 3)
        #expect(integers.texts == ["x", "\u{e9}\n", ""] && integers.integers == [1, -20, 12_345_678_901])
        #expect(integers["\u{e9}\n"] == -20 && integers[""] == 12_345_678_901 && integers["y"] == nil)
        let texts = try #require(try table("[\"a b\", \"中\"]")?.table)
        #expect(texts.form == .texts && texts.texts == ["a b", "中"] && !texts.isObject)
        let pairs = try #require(try table("[[\"a\",\"b\"],[ \"c\" , \"\\\"\" ]]")?.table)
        #expect(pairs.form == .pairs && pairs.count == 2 && pairs.texts == ["a", "b", "c", "\""])
        let scores = try #require(try table("[[\"a\",-1.5],[\"b\",0],[\"c\",1e-3]]")?.table)
        #expect(scores.form == .scores && scores.numbers == [-1.5, 0, 0.001] && scores.texts == ["a", "b", "c"])
        #expect(try table("{}")?.table?.count == 0)
        #expect(try table("[]")?.table?.count == 0)
    }

    @Test(arguments: [
        "{\"x\":1.5}", "{\"x\":\"1\"}", "{\"x\":1e2}", "{\"x\":99999999999999999999}", "[1]", "[\"a\",[\"a\",\"b\"]]",
        "[[\"a\",\"b\"],[\"a\",1]]", "[[\"a\"]]", "[[\"a\",\"b\",\"c\"]]", "[[]]", "3", "\"x\"", "null",
    ])
    func whatHasNoFormIsATree(_ text: String) throws {
        let value = try #require(try table(text))
        #expect(value.table == nil)
        #expect(try value == JSON(parsing: text))
    }

    /// Whatever is wrong is found where the tree's reader finds it.
    @Test(arguments: [
        "{\"x\":1,\"y\":2,\"x\":3}", "{\"x\":1,}", "{\"x\" 1}", "{\"x\":01}", "{\"x\":1", "[\"a\"", "[\"a\" \"b\"]",
        "[\"a",
        "[\"\\q\"]", "[\"\u{1}\"]", "[[\"a\",\"b\"", "[[\"a\",]]", "{x:1}", "{\"x\":-}", "[\"a\",]", "{\"x\":1}}",
    ])
    func errorsAreTheSame(_ text: String) {
        let bytes = Array("{\"b\":\(text)}".utf8)
        let tree = #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
        let table = #expect(throws: JSONError.self) { try JSON(parsing: bytes, tables: [["b"]]) }
        #expect(tree == table)
    }

    @Test func bytesThatAreNoText() {
        let bytes = Array("{\"b\":[\"".utf8) + [0xFF] + Array("\"]}".utf8)
        let error = #expect(throws: JSONError.self) { try JSON(parsing: bytes, tables: [["b"]]) }
        #expect(error?.byte == 6)
    }

    @Test func manyKeys() throws {
        let members = (0..<5000).map { "\"k\($0)\":\($0)" }
        let found = try #require(try table("{" + members.joined(separator: ",") + "}")?.table)
        #expect(found["k4999"] == 4999 && found["k5000"] == nil && found.count == 5000)
        #expect(throws: JSONError.self) { try table("{" + members.joined(separator: ",") + ",\"k17\":1}") }
    }

    /// Other paths are trees, however long.
    @Test func otherPaths() throws {
        let value = try JSON(parsing: Array("{\"b\":{\"x\":1},\"a\":{\"c\":{\"x\":1}}}".utf8), tables: [["a", "b"]])
        #expect(value.object?["b"]?.object != nil && value.object?["a"]?.object?["c"]?.object != nil)
    }
}
