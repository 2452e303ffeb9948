import Testing
import TinyJSON
import TinyRunner
import TinyTokenizer

@testable import TinyServer

@Suite("Anthropic's messages")
struct MessagesTests {
    private static func body(_ more: String = "", messages: String = #"[{"role": "user", "content": "Hello there"}]"#)
        -> String
    {
        #"{"model": "tiny", "max_tokens": 12, "temperature": 0, "messages": \#(messages)\#(more)}"#
    }

    private func refusal(_ body: String) -> APIError? {
        #expect(throws: APIError.self) { _ = try MessagesExchange(FieldReader(body: Array(body.utf8))) }
    }

    // MARK: What is asked

    @Test(arguments: [
        (#"{"messages": [], "max_tokens": 1}"#, "model"), (#"{"model": "tiny", "max_tokens": 1}"#, "messages"),
        (#"{"model": "tiny", "messages": [{"role": "user", "content": "a"}]}"#, "max_tokens"),
        (body(#", "max_tokens": 1"#), nil),  // a key twice
        (body(messages: "[]"), "messages"), (body(messages: #""Hello""#), "messages"),
        (body(messages: "[1]"), "messages[0]"), (body(messages: #"[{"content": "a"}]"#), "messages[0].role"),
        (body(messages: #"[{"role": "wizard", "content": "a"}]"#), "messages[0].role"),
        (body(messages: #"[{"role": "user"}]"#), "messages[0].content"),
        (body(messages: #"[{"role": "user", "content": ""}]"#), "messages[0].content"),
        (body(messages: #"[{"role": "user", "content": []}]"#), "messages[0].content"),
        (body(messages: #"[{"role": "user", "content": 5}]"#), "messages[0].content"),
        (body(messages: #"[{"role": "user", "content": [{"type": "image"}]}]"#), "messages[0].content[0].type"),
        (body(messages: #"[{"role": "user", "content": [{"type": "text"}]}]"#), "messages[0].content[0].text"),
        (body(messages: #"[{"role": "user", "content": "a", "name": "b"}]"#), "messages[0].name"),
        (body(messages: #"[{"role": "assistant", "content": ""}]"#), "messages"),
        (body(messages: #"[{"role": "system", "content": "a"}]"#), "messages"),
        (
            body(messages: #"[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b "}]"#),
            "messages[1].content"
        ),
        (body(#", "system": 1"#), "system"), (body(#", "system": [{"type": "text", "text": 1}]"#), "system[0].text"),
        (body(#", "top_k": -2"#), "top_k"), (body(#", "top_p": 1.5"#), "top_p"), (body(#", "stream": 1"#), "stream"),
        (body(#", "stop_sequences": [""]"#), "stop_sequences"),
        (body(#", "stop_sequences": [1]"#), "stop_sequences[0]"),
        (body(#", "tools": [{"name": "f"}]"#), "tools"), (body(#", "tool_choice": {"type": "any"}"#), "tool_choice"),
        (body(#", "thinking": {"type": "enabled", "budget_tokens": 1024}"#), "thinking"),
        (body(#", "output_config": {"effort": "low"}"#), "output_config.effort"),
        (body(#", "output_config": {"format": {"type": "json_schema"}}"#), "output_config.format"),
        (body(#", "container": "c"}"#), nil), (body(#", "container": "c""#), "container"),
        (body(#", "metadata": {"user_id": 1}"#), "metadata.user_id"), (body(#", "mystery": 1"#), "mystery"),
    ])
    func errorsNameTheField(_ body: String, _ field: String?) {
        let error = refusal(body)
        #expect(error?.status == 400)
        #expect(error?.parameter == field, "\(error.map { "\($0)" } ?? "")")
        if let field { #expect(error?.message.contains(field) == true) }
    }

    /// Anthropic's temperature ends at 1.
    @Test func temperature() throws {
        let hot =
            #"{"model": "tiny", "max_tokens": 1, "temperature": 1.5, "messages": [{"role": "user", "content": "a"}]}"#
        #expect(refusal(hot)?.parameter == "temperature")
    }

    @Test func acceptsWhatIsHarmless() throws {
        let more =
            #", "tools": [], "tool_choice": {"type": "none"}, "thinking": {"type": "disabled"}, "metadata": {"user_id": "u"}, "service_tier": "auto", "output_config": {}, "system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]"#
        _ = try MessagesExchange(FieldReader(body: Array(Self.body(more).utf8)))
    }

    // MARK: What the model reads

    @Test(arguments: [
        (
            #"[{"role": "user", "content": [{"type": "text", "text": "Hello "}, {"type": "text", "text": "there"}]}]"#,
            ""
        ),
        (#"[{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": ""}]"#, ""),
        (#"[{"role": "user", "content": "Hello there"}]"#, #", "system": """#),
    ])
    func sameConversation(_ messages: String, _ more: String) async throws {
        let model = try TalkingModel()
        let expected = try await model.answer(MessagesExchange.self, Self.body())
        let found = try await model.answer(MessagesExchange.self, Self.body(more, messages: messages))
        #expect(found.json["content"] == expected.json["content"])
        #expect(found.completion.promptTokens == expected.completion.promptTokens)
    }

    /// Messages of one role that follow each other are one turn; instructions come first.
    @Test func turns() throws {
        var fields = try FieldReader(
            body: Array(
                #"{"system": "S", "messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"}]}"#
                    .utf8))
        let (turns, continuesLast) = try MessagesQuestion.turns(&fields)
        #expect(turns.list == [.init(.system, "S"), .init(.user, "a\n\nb"), .init(.assistant, "c"), .init(.user, "d")])
        #expect(!continuesLast)
    }

    /// An answer that is begun is gone on with: its beginning is read as the model's own words.
    @Test func prefill() async throws {
        let model = try TalkingModel()
        let plain = try await model.answer(MessagesExchange.self, Self.body())
        let begun = try await model.answer(
            MessagesExchange.self,
            Self.body(
                messages: #"[{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": "Well"}]"#))
        let word = model.served.tokenizer.encode("Well").count
        #expect(begun.completion.promptTokens >= plain.completion.promptTokens + 1)
        #expect(begun.completion.promptTokens <= plain.completion.promptTokens + word)
    }

    @Test func countsTokens() async throws {
        let model = try TalkingModel()
        let plain = try await model.answer(MessagesExchange.self, Self.body())
        let counted = #"{"model": "tiny", "messages": [{"role": "user", "content": "Hello there"}]}"#
        let question = try CountTokensQuestion(FieldReader(body: Array(counted.utf8)))
        #expect(JSONValue(try question.answer(model.served))["input_tokens"].integer == plain.completion.promptTokens)
    }

    // MARK: What is answered

    @Test func answers() async throws {
        let model = try TalkingModel()
        let (json, completion) = try await model.answer(MessagesExchange.self, Self.body())
        #expect(completion.text.count > 4)
        #expect(json["id"].string == "msg_42" && json["type"].string == "message" && json["role"].string == "assistant")
        #expect(json["content", 0, "text"].string == completion.text && json["content"].count == 1)
        #expect(json["stop_reason"].string == "max_tokens" && json["stop_sequence"].isNull)
        #expect(json["usage", "output_tokens"].integer == 12)
        #expect(json["usage", "input_tokens"].integer == completion.promptTokens)
        // The second time most of it is in the cache, and the two counts make up the whole.
        let again = try await model.answer(MessagesExchange.self, Self.body())
        #expect(again.completion.cachedTokens > 0)
        #expect(again.json["usage", "cache_read_input_tokens"].integer == again.completion.cachedTokens)
        #expect(
            again.json["usage", "input_tokens"].integer
                == completion.promptTokens - again.completion.cachedTokens)
    }

    @Test func saysWhatStoppedIt() async throws {
        let model = try TalkingModel()
        let whole = try await model.answer(MessagesExchange.self, Self.body()).completion.text
        let stop = String(whole.dropFirst(whole.count / 2).prefix(2))
        let body = Self.body(", \"stop_sequences\": [\"no such text\", \(JSON.string(stop).written)]")
        let (json, _) = try await model.answer(MessagesExchange.self, body)
        #expect(json["stop_reason"].string == "stop_sequence" && json["stop_sequence"].string == stop)
    }

    @Test func nothingToSay() async throws {
        let model = try TalkingModel()
        let body = #"{"model": "tiny", "max_tokens": 0, "messages": [{"role": "user", "content": "Hello"}]}"#
        #expect(try await model.answer(MessagesExchange.self, body).json["content"].count == 0)
        let names = try await model.events(MessagesExchange.self, body).map(\.name)
        #expect(names == ["message_start", "ping", "message_delta", "message_stop"])
    }

    // MARK: Events

    @Test func streams() async throws {
        let model = try TalkingModel()
        let (answer, completion) = try await model.answer(MessagesExchange.self, Self.body())
        let events = try await model.events(MessagesExchange.self, Self.body(#", "stream": true"#))
        #expect(events.allSatisfy { $0.name == $0.json["type"].string })
        #expect(
            events.map(\.name).filter { $0 != "content_block_delta" }
                == [
                    "message_start", "ping", "content_block_start", "content_block_stop", "message_delta",
                    "message_stop",
                ])
        let text = events.compactMap { $0.json["delta", "text"].string }
        #expect(text.joined() == completion.text && text.count > 2)
        let start = events[0].json["message"]
        #expect(start["content"].count == 0 && start["stop_reason"].isNull && start["id"].string == "msg_42")
        let end = events[events.count - 2].json
        #expect(end["delta", "stop_reason"] == answer["stop_reason"])
        #expect(end["usage", "output_tokens"] == answer["usage", "output_tokens"])
    }

    @Test func errorsHaveTheirShape() throws {
        let exchange = try MessagesExchange(FieldReader(body: Array(Self.body().utf8)))
        let event = try #require(exchange.failure(.stopped).first)
        let json = try JSONValue(parsing: event.data)
        #expect(event.name == "error" && json["type"].string == "error")
        #expect(json["error", "type"].string == "overloaded_error" && json["error", "message"].string != nil)
        let body = JSONValue(APIError.noKey.body(.anthropic, requestID: "req_1"))
        #expect(body["request_id"].string == "req_1" && body["error", "type"].string == "authentication_error")
    }
}
