import Testing
import TinyJSON

@testable import TinyServer

@Suite struct FieldReaderTests {
    private func fields(_ text: String) throws -> FieldReader { try FieldReader(body: Array(text.utf8)) }

    /// The error of reading `text`; a test fails if there is none.
    private func error(_ text: String, _ read: (inout FieldReader) throws -> Void) -> APIError? {
        #expect(throws: APIError.self) {
            var reader = try fields(text)
            try read(&reader)
            try reader.finish()
        }
    }

    @Test func readsEachType() throws {
        var reader = try fields(
            #"{"text": "a", "flag": true, "count": 16.0, "share": 1, "nothing": null, "list": [{"x": 1}], "deep": {"y": 2}}"#
        )
        #expect(try reader.string("text") == "a")
        #expect(try reader.bool("flag") == true)
        #expect(try reader.integer("count", 0...20) == 16)
        #expect(try reader.number("share", 0...1) == 1)
        #expect(try reader.number("nothing", 0...1) == nil)
        #expect(try reader.string("absent") == nil)
        var list = try #require(try reader.list("list"))
        #expect(try list[0].integer("x", 0...9) == 1)
        var deep = try #require(try reader.fields("deep"))
        #expect(try deep.integer("y", 0...9) == 2)
        try reader.finish()
    }

    /// What no number of 64 bits is, is not taken for its neighbor.
    @Test(arguments: ["-9223372036854775809", "9223372036854775808", "9007199254740994.0", "1e18"])
    func refusesWhatWasNotWritten(_ number: String) {
        let error = error("{\"seed\": \(number)}") { _ = try $0.integer("seed", .min ... .max) }
        #expect(error?.status == 400 && error?.parameter == "seed")
    }

    @Test(arguments: ["", "{", "[]", "1", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "\u{0}", "{\"a\":1e999}"])
    func refusesWhatIsNoObject(_ text: String) {
        #expect(error(text) { _ in }?.status == 400)
    }

    @Test func refusesDeepNesting() {
        let deep = "{\"a\":" + String(repeating: "[", count: 100_000)
        #expect(error(deep) { _ in }?.message.contains("nested deeper than") == true)
    }

    @Test(arguments: [
        (#"{"x": "1"}"#, "a string"), (#"{"x": 3}"#, "3"), (#"{"x": -1}"#, "-1"), (#"{"x": 0.5}"#, "0.5"),
        (#"{"x": true}"#, "true or false"), (#"{"x": 1e300}"#, "1e+300"), (#"{"x": [1]}"#, "an array"),
    ])
    func namesAWholeNumberThatIsNone(_ text: String, _ found: String) throws {
        let error = try #require(error(text) { _ = try $0.integer("x", 0...2) })
        #expect(error.parameter == "x" && error.message == "x: is \(found)\(error.message.dropFirst(6 + found.count))")
    }

    @Test func lowerEndMayBeLeftOut() throws {
        #expect(error(#"{"top_p": 0}"#) { _ = try $0.number("top_p", 0...1, above: true) }?.parameter == "top_p")
        #expect(error(#"{"top_p": 1.01}"#) { _ = try $0.number("top_p", 0...1, above: true) }?.parameter == "top_p")
    }

    @Test func namesTheWayToAField() throws {
        let error = error(#"{"messages": [{"role": "user"}, {"role": 1}]}"#) { reader in
            guard var list = try reader.list("messages") else { return }
            for index in list.indices { _ = try list[index].requiredString("role") }
        }
        #expect(error?.parameter == "messages[1].role")
        #expect(self.error(#"{"messages": [1]}"#) { _ = try $0.list("messages") }?.parameter == "messages[0]")
        #expect(self.error("{}") { _ = try $0.requiredString("model") }?.parameter == "model")
    }

    @Test func refusesWhatItDoesNotKnow() throws {
        #expect(error(#"{"surprise": 1}"#) { _ in }?.parameter == "surprise")
        var reader = try fields(#"{"user": "me", "tools": [], "parallel": false, "tool_choice": "none"}"#)
        try reader.refuse(["tools", "parallel", "tool_choice"], "is not supported", except: ["none"])
        try reader.finish(harmless: ["user"])
        #expect(error(#"{"tools": [1]}"#) { try $0.refuse(["tools"], "no") }?.code == "unsupported_parameter")
    }
}
