import Testing
import TinyJSON

@testable import TinyRunner
@testable import TinyServer

@Suite("OpenAI's responses")
struct ResponsesTests {
    private static func body(_ more: String = "", input: String = #""Hello there""#) -> String {
        #"{"model": "tiny", "max_output_tokens": 12, "temperature": 0, "input": \#(input)\#(more)}"#
    }

    // MARK: What is asked

    @Test(arguments: [
        (#"{"model": "tiny"}"#, "input"), (body(input: "1"), "input"), (body(input: #""""#), "input"),
        (body(input: "[]"), "input"), (body(input: "[1]"), "input[0]"),
        (body(input: #"[{"role": "system", "content": "a"}]"#), "input"),
        (body(input: #"[{"content": "a"}]"#), "input[0].role"),
        (body(input: #"[{"role": "tool", "content": "a"}]"#), "input[0].role"),
        (body(input: #"[{"role": "user"}]"#), "input[0].content"),
        (body(input: #"[{"role": "user", "content": ""}]"#), "input[0].content"),
        (body(input: #"[{"role": "user", "content": [{"type": "input_image"}]}]"#), "input[0].content[0].type"),
        (body(input: #"[{"role": "user", "content": [{"type": "input_text"}]}]"#), "input[0].content[0].text"),
        (body(input: #"[{"type": "function_call_output", "output": "a"}]"#), "input[0].type"),
        (body(#", "instructions": 1"#), "instructions"), (body(#", "top_p": -1"#), "top_p"),
        (body(#", "top_logprobs": 21"#), "top_logprobs"), (body(#", "stream": "yes""#), "stream"),
        (body(#", "include": ["reasoning.encrypted_content"]"#), "include[0]"),
        (body(#", "previous_response_id": "resp_1""#), "previous_response_id"), (body(#", "store": true"#), "store"),
        (body(#", "conversation": "c""#), "conversation"), (body(#", "background": true"#), "background"),
        (body(#", "tools": [{"type": "web_search"}]"#), "tools"),
        (body(#", "tool_choice": "required""#), "tool_choice"),
        (body(#", "truncation": "auto""#), "truncation"),
        (body(#", "reasoning": {"effort": "high"}"#), "reasoning.effort"),
        (body(#", "text": {"format": {"type": "json_object"}}"#), "text.format"),
        (body(#", "metadata": {"a": 1}"#), "metadata.a"), (body(#", "mystery": 1"#), "mystery"),
    ])
    func errorsNameTheField(_ body: String, _ field: String) {
        let error = #expect(throws: APIError.self) {
            _ = try ResponsesExchange(FieldReader(body: Array(body.utf8)))
        }
        #expect(error?.status == 400 && error?.parameter == field, "\(error.map { "\($0)" } ?? "")")
    }

    @Test func acceptsWhatIsHarmless() throws {
        let more =
            #", "store": false, "tools": [], "tool_choice": "auto", "truncation": "disabled", "reasoning": {"effort": null}, "text": {"format": {"type": "text"}}, "user": "u", "stream_options": {"include_obfuscation": false}, "include": [], "background": false, "service_tier": "auto", "max_tool_calls": 3"#
        _ = try ResponsesExchange(FieldReader(body: Array(Self.body(more).utf8)))
    }

    /// Instructions and developers are the model's system; an answer goes in again as it came out.
    @Test func turns() throws {
        let input =
            #"{"input": [{"role": "developer", "content": "D"}, {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}, {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": "b", "annotations": [], "logprobs": []}]}, {"role": "user", "content": "c"}]}"#
        var fields = try FieldReader(body: Array(input.utf8))
        let turns = try ResponsesExchange.turns("I", &fields)
        #expect(turns.list == [.init(.system, "I\n\nD"), .init(.user, "a"), .init(.assistant, "b"), .init(.user, "c")])
    }

    // MARK: What is answered

    @Test func answers() async throws {
        let model = try TalkingModel()
        let (json, completion) = try await model.answer(ResponsesExchange.self, Self.body(#", "metadata": {"a": "b"}"#))
        #expect(json["id"].string == "resp_42" && json["object"].string == "response")
        #expect(json["output", 0, "content", 0, "text"].string == completion.text && completion.text.count > 4)
        #expect(json["status"].string == "incomplete" && json["output", 0, "status"].string == "incomplete")
        #expect(json["incomplete_details", "reason"].string == "max_output_tokens")
        #expect(json["usage", "output_tokens"].integer == 12)
        #expect(json["usage", "total_tokens"].integer == completion.promptTokens + 12)
        #expect(json["metadata", "a"].string == "b" && json["temperature"].double == 0)
    }

    @Test func tellsLogprobs() async throws {
        let model = try TalkingModel()
        let (json, completion) = try await model.answer(
            ResponsesExchange.self, Self.body(#", "top_logprobs": 3, "include": ["message.output_text.logprobs"]"#))
        let logprobs = json["output", 0, "content", 0, "logprobs"]
        #expect(logprobs.count == completion.tokens.count && logprobs[0, "top_logprobs"].count == 3)
        #expect(json["top_logprobs"].integer == 3)
    }

    @Test func streams() async throws {
        let model = try TalkingModel()
        for more in ["", #", "top_logprobs": 2"#] {
            let (answer, completion) = try await model.answer(ResponsesExchange.self, Self.body(more))
            let events = try await model.events(ResponsesExchange.self, Self.body(more + #", "stream": true"#))
            #expect(events.allSatisfy { $0.name == $0.json["type"].string })
            #expect(events.map { $0.json["sequence_number"].integer } == Array(0..<events.count))
            #expect(
                events.map(\.name).filter { $0 != "response.output_text.delta" }
                    == [
                        "created", "in_progress", "output_item.added", "content_part.added", "output_text.done",
                        "content_part.done", "output_item.done", "incomplete",
                    ].map { "response.\($0)" })
            let deltas = events.filter { $0.name == "response.output_text.delta" }.map(\.json)
            #expect(deltas.compactMap { $0["delta"].string }.joined() == completion.text && deltas.count > 2)
            let logprobs = deltas.compactMap { $0["logprobs"].count }.reduce(0, +)
            #expect(logprobs == (more.isEmpty ? 0 : completion.tokens.count))
            let last = try #require(events.last).json["response"]
            #expect(last["output"] == answer["output"] && last["status"] == answer["status"])
            #expect(events[0].json["response", "status"].string == "in_progress")
        }
    }

    @Test func nothingToSay() async throws {
        let model = try TalkingModel()
        var ended = Completion()
        ended.stopReason = .endOfText
        var exchange = try ResponsesExchange(FieldReader(body: Array(Self.body().utf8)))
        let events =
            exchange.opening(of: model.served, TalkingModel.identity)
            + exchange.events(for: .finished(ended), choice: 0, of: model.served, TalkingModel.identity)
        #expect(events.map(\.name).last == "response.completed")
        #expect(events.contains { $0.name == "response.output_item.added" })
    }

    @Test func failure() throws {
        let model = try TalkingModel()
        var exchange = try ResponsesExchange(FieldReader(body: Array(Self.body().utf8)))
        _ = exchange.opening(of: model.served, TalkingModel.identity)
        let event = try #require(exchange.failure(.stopped).first)
        let json = try JSONValue(parsing: event.data)
        #expect(event.name == "response.failed" && json["sequence_number"].integer == 2)
        #expect(json["response", "status"].string == "failed" && json["response", "id"].string == "resp_42")
        #expect(json["response", "error", "message"].string == APIError.stopped.message)
    }
}
