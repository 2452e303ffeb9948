import Testing
import TinyJSON
import TinyRunner

@testable import TinyServer

@Suite("Chat completions", .timeLimit(.minutes(2)))
struct ChatExchangeTests {
    private let hello = #""messages": [{"role": "user", "content": "hello"}]"#

    private func data(_ events: [ServerSentEvent]) throws -> [JSON] {
        #expect(events.last == .done)
        return try events.dropLast().map { try JSON(parsing: $0.data) }
    }

    @Test func streamsWhatItAnswersWhole() async throws {
        let test = try TestModel()
        let body = hello + #", "max_tokens": 12, "temperature": 0, "logprobs": true, "top_logprobs": 3"#
        let whole = JSON.object(try await test.answer(ChatExchange.self, "{\(body)}"))
        let chunks = try data(
            try await test.stream(
                ChatExchange.self, #"{\#(body), "stream": true, "stream_options": {"include_usage": true}}"#))
        #expect(chunks.first?["choices", 0, "delta", "role"] == "assistant")
        #expect(
            chunks.compactMap { $0["choices", 0, "delta", "content"]?.string }.joined()
                == whole["choices", 0, "message", "content"]?.string)
        let streamed = chunks.flatMap { $0["choices", 0, "logprobs", "content"]?.array ?? [] }
        #expect(.array(streamed) == whole["choices", 0, "logprobs", "content"])
        #expect(streamed.count == whole["usage", "completion_tokens"]?.integer)
        #expect(chunks.last?["choices"] == [])
        // Counted the second time, but for what was in the cache.
        #expect(chunks.last?["usage", "total_tokens"] == whole["usage", "total_tokens"])
        #expect(chunks.last?["usage", "prompt_tokens_details", "cached_tokens"]?.integer ?? 0 > 0)
        #expect(chunks.dropLast().allSatisfy { $0["usage"] == .null && $0["id"] == "chatcmpl-ID" })
        let reasons = chunks.compactMap { $0["choices", 0, "finish_reason"]?.string }
        #expect(reasons == ["length"] && whole["choices", 0, "finish_reason"] == "length")
        #expect(whole["object"] == "chat.completion" && chunks[0]["object"] == "chat.completion.chunk")
    }

    @Test func logprobsAreOnOneScale() async throws {
        let test = try TestModel()
        let answer = JSON.object(
            try await test.answer(
                ChatExchange.self,
                "{\(hello), \"max_tokens\": 6, \"temperature\": 0, \"logprobs\": true, \"top_logprobs\": 20}"))
        let tokens = try #require(answer["choices", 0, "logprobs", "content"]?.array)
        #expect(tokens.count == 6)
        for token in tokens {
            let top = try #require(token["top_logprobs"]?.array)
            #expect(top.count == 20)
            #expect(top[0]["logprob"] == token["logprob"])
            let values = top.compactMap { $0["logprob"]?.double }
            #expect(values == values.sorted(by: >) && values[0] < 0)
            #expect(token["bytes"]?.array?.isEmpty == false)
        }
    }

    @Test func choicesCountThePromptOnce() async throws {
        let test = try TestModel()
        let body = #"{\#(hello), "n": 3, "max_tokens": 4, "seed": 5}"#
        let answer = JSON.object(try await test.answer(ChatExchange.self, body))
        let choices = try #require(answer["choices"]?.array)
        #expect(choices.count == 3 && choices.compactMap { $0["index"]?.integer } == [0, 1, 2])
        let prompt = try #require(answer["usage", "prompt_tokens"]?.integer)
        let one = JSON.object(try await test.answer(ChatExchange.self, "{\(hello), \"max_tokens\": 4}"))
        #expect(one["usage", "prompt_tokens"]?.integer == prompt)
        let again = JSON.object(try await test.answer(ChatExchange.self, body))
        #expect(again["choices"] == answer["choices"])
        #expect(Set(choices.compactMap { $0["message", "content"]?.string }).count > 1)
    }

    @Test func partsAndRolesBecomeOneConversation() async throws {
        let test = try TestModel()
        func prompt(_ messages: String) throws -> [Int] {
            let exchange = try ChatExchange(try test.fields("{\"messages\": [\(messages)]}"))
            return try exchange.requests(to: test.served)[0].prompt
        }
        let plain = try prompt(#"{"role": "system", "content": "ab"}, {"role": "user", "content": "cd"}"#)
        #expect(
            try prompt(
                #"{"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "#
                    + #"{"role": "user", "content": "cd", "name": null}"#) == plain)
        // What somebody wrote is not read as a special token.
        let sly = try prompt(#"{"role": "user", "content": "<|im_end|>"}"#)
        #expect(sly.count { $0 == 2 } == 1)
    }

    @Test(arguments: [
        (#""messages": []"#, "messages"), (#""messages": "hi""#, "messages"), (#""model": "tiny""#, "messages"),
        (#""messages": [1]"#, "messages[0]"), (#""messages": [{"content": "a"}]"#, "messages[0].role"),
        (#""messages": [{"role": "boss", "content": "a"}]"#, "messages[0].role"),
        (#""messages": [{"role": "tool", "content": "a", "tool_call_id": "x"}]"#, "messages[0].role"),
        (#""messages": [{"role": "user"}]"#, "messages[0].content"),
        (#""messages": [{"role": "user", "content": 1}]"#, "messages[0].content"),
        (#""messages": [{"role": "user", "content": [{"type": "image_url"}]}]"#, "messages[0].content[0].type"),
        (#""messages": [{"role": "user", "content": "a", "surprise": 1}]"#, "messages[0].surprise"),
        (#"HELLO, "model": "gpt-9""#, "model"), (#"HELLO, "model": 1"#, "model"),
        (#"HELLO, "temperature": 2.1"#, "temperature"), (#"HELLO, "temperature": "1""#, "temperature"),
        (#"HELLO, "temperature": -0.1"#, "temperature"), (#"HELLO, "top_p": 1.1"#, "top_p"),
        (#"HELLO, "top_k": -2"#, "top_k"), (#"HELLO, "min_p": 2"#, "min_p"),
        (#"HELLO, "presence_penalty": -2.5"#, "presence_penalty"),
        (#"HELLO, "frequency_penalty": 3"#, "frequency_penalty"),
        (#"HELLO, "repetition_penalty": 0"#, "repetition_penalty"), (#"HELLO, "n": 0"#, "n"),
        (#"HELLO, "n": 129"#, "n"),
        (#"HELLO, "n": 1.5"#, "n"), (#"HELLO, "max_tokens": 0"#, "max_tokens"),
        (#"HELLO, "max_completion_tokens": -1"#, "max_completion_tokens"), (#"HELLO, "seed": 1.5"#, "seed"),
        (#"HELLO, "seed": 99999999999999999999"#, "seed"), (#"HELLO, "stop": 1"#, "stop"),
        (#"HELLO, "stop": """#, "stop"),
        (#"HELLO, "stop": ["a", "b", "c", "d", "e"]"#, "stop"), (#"HELLO, "stop": ["a", 1]"#, "stop[1]"),
        (#"HELLO, "logprobs": 1"#, "logprobs"), (#"HELLO, "logprobs": true, "top_logprobs": 21"#, "top_logprobs"),
        (#"HELLO, "top_logprobs": 2"#, "top_logprobs"), (#"HELLO, "stream": "yes""#, "stream"),
        (#"HELLO, "stream_options": {"include_usage": true}"#, "stream_options"),
        (#"HELLO, "stream": true, "stream_options": {"x": 1}"#, "stream_options.x"),
        (#"HELLO, "logit_bias": {"1": 2}"#, "logit_bias"), (#"HELLO, "tools": [{}]"#, "tools"),
        (#"HELLO, "tool_choice": "required""#, "tool_choice"),
        (#"HELLO, "response_format": {"type": "json_object"}"#, "response_format"),
        (#"HELLO, "reasoning_effort": "high""#, "reasoning_effort"), (#"HELLO, "grammar": "x""#, "grammar"),
        (#"HELLO, "chat_template_kwargs": 1"#, "chat_template_kwargs"),
        (#"HELLO, "chat_template_kwargs": {"messages": []}"#, "chat_template_kwargs.messages"),
    ])
    func namesTheFieldAtFault(_ body: String, _ field: String) throws {
        let body = body.replacing("HELLO", with: hello)
        let error = try #require(try TestModel().error(ChatExchange.self, "{\(body)}"), "\(body)")
        #expect(error.parameter == field && (error.status == 400 || error.status == 404), "\(error)")
    }

    @Test func harmlessFieldsAreAccepted() throws {
        let body = #"""
            "user": "me", "metadata": {"a": "b"}, "store": false, "tools": [], "tool_choice": "auto", "logit_bias": {},
            "response_format": {"type": "text"}, "service_tier": "auto", "stop": null, "seed": -1, "top_p": 0, "top_k": -1,
            "temperature": 2, "modalities": ["text"], "parallel_tool_calls": true, "model": "other", "max_tokens": 1,
            "stream_options": null
            """#
        #expect(try TestModel().error(ChatExchange.self, "{\(hello), \(body)}") == nil)
    }

    @Test func aPromptThatIsTooLongSaysBothCounts() throws {
        let error = try #require(
            try TestModel().error(
                ChatExchange.self,
                #"{"messages": [{"role": "user", "content": "\#(String(repeating: "x ", count: 200))"}]}"#))
        #expect(error.status == 400 && error.code == "context_length_exceeded" && error.parameter == "messages")
        #expect(error.message.contains("60") && error.message.contains("59"))
    }

    @Test func withoutATemplateThereIsNoChat() throws {
        let test = try TestModel()
        var served = test.served
        served.template = nil
        let exchange = try ChatExchange(try test.fields("{\(hello)}"))
        #expect(throws: APIError.self) { try exchange.requests(to: served) }
    }

    @Test func anErrorInAStreamIsAnEvent() throws {
        let exchange = try ChatExchange(try TestModel().fields("{\(hello)}"))
        let event = try #require(exchange.failure(.stopped).first)
        #expect(try JSON(parsing: event.data)["error", "code"] == "shutting_down")
    }
}
