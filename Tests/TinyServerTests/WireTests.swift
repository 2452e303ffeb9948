import Testing
import TinyJSON

@testable import TinyServer

@Suite struct WireTests {
    @Test func writesWhatItReads() throws {
        let value: JSON = [
            "text": "a\"\\\n\r\t\u{0}\u{1F}\u{2028}é你好👋", "numbers": [1, -2, .number(0.25), .number(-1e-9)],
            "none": nil,
            "flag": true, "empty": [:], "list": [],
        ]
        #expect(try JSON(parsing: value.written) == value)
        #expect(!value.written.contains("\n") && !value.written.contains("\u{2028}"))
        #expect(JSON.array([.number(.nan), .number(.infinity)]).written == "[null,null]")
    }

    @Test func framesEvents() {
        func framed(_ event: ServerSentEvent) -> String { String(decoding: event.bytes, as: UTF8.self) }
        #expect(framed(ServerSentEvent(["a": 1])) == "data: {\"a\":1}\n\n")
        #expect(framed(.done) == "data: [DONE]\n\n")
        #expect(framed(ServerSentEvent(name: "ping", ["a": 1])) == "event: ping\ndata: {\"a\":1}\n\n")
        #expect(framed(ServerSentEvent(data: "one\ntwo\r\nthree\r")) == "data: one\ndata: two\ndata: three\ndata: \n\n")
    }

    @Test func shapesErrors() {
        let error = APIError.field("top_p", "is 2.", code: "invalid_value")
        #expect(
            error.body(.openAI).written
                == #"{"error":{"message":"top_p: is 2.","type":"invalid_request_error","param":"top_p","code":"invalid_value"}}"#
        )
        #expect(
            error.body(.anthropic).written
                == #"{"type":"error","error":{"type":"invalid_request_error","message":"top_p: is 2."}}"#)
        #expect(APIError.wrongKey.body(.anthropic).written.contains("authentication_error"))
        #expect(APIError.noKey.body(.openAI).written.contains(#""param":null"#))
    }
}
