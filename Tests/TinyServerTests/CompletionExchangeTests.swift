import Testing
import TinyJSON
import TinyRunner

@testable import TinyServer

@Suite("Completions", .timeLimit(.minutes(2)))
struct CompletionExchangeTests {
    @Test func scoresAPromptAsTheModelDoes() async throws {
        let test = try TestModel()
        let prompt = [5, 120, 33, 250, 17, 99, 64, 201]
        for maxTokens in [0, 1] {
            let answer = JSON.object(
                try await test.answer(
                    CompletionExchange.self,
                    #"{"prompt": \#(prompt), "echo": true, "logprobs": 2, "max_tokens": \#(maxTokens), "temperature": 0}"#
                ))
            let logprobs = try #require(answer["choices", 0, "logprobs", "token_logprobs"]?.array)
            let top = try #require(answer["choices", 0, "logprobs", "top_logprobs"]?.array)
            #expect(logprobs.count == prompt.count + maxTokens && logprobs[0] == .null && top[0] == .null)
            #expect(answer["choices", 0, "logprobs", "tokens"]?.array?.count == logprobs.count)
            #expect(answer["usage", "completion_tokens"]?.integer == maxTokens)
            for position in 1..<prompt.count {
                var decoder = test.model.decoder(capacity: 20)
                let score = try decoder.read(Array(prompt[..<position])) { TokenScore(of: prompt[position], $0) }
                let found = try #require(logprobs[position].double)
                // The same arithmetic in chunks of other lengths.
                #expect(abs(found - score.logProbability) < 1e-4)
                let best = try #require(top[position].object).values.compactMap { $0.double }.max()
                #expect((best == found) == (score.rank == 1))
            }
            if maxTokens == 1 { #expect(top[prompt.count].object?.values.contains(logprobs[prompt.count]) == true) }
        }
    }

    @Test func aScoredTextKeepsThePlaceOfItsEnd() async throws {
        // Some token after which this model would end: found by trying.
        let test = try TestModel()
        var ending: [Int]?
        for first in 3..<280 where ending == nil {
            var decoder = test.model.decoder(capacity: 8)
            let best = try decoder.read([first, first]) { Candidate.top(1, of: $0)[0].token }
            if test.served.endOfText.contains(best) { ending = [first, first] }
        }
        guard let ending else { return }
        let answer = JSON.object(
            try await test.answer(
                CompletionExchange.self,
                #"{"prompt": \#(ending), "echo": true, "logprobs": 1, "max_tokens": 1, "temperature": 0}"#))
        #expect(answer["choices", 0, "logprobs", "token_logprobs"]?.array?.count == 3)
        #expect(answer["choices", 0, "finish_reason"] == "stop")
    }

    @Test func offsetsPointIntoTheText() async throws {
        let test = try TestModel()
        let text = "hello, 你好 and é"
        let answer = JSON.object(
            try await test.answer(
                CompletionExchange.self,
                #"{"prompt": "\#(text)", "echo": true, "logprobs": 0, "max_tokens": 3, "temperature": 0}"#))
        let whole = try #require(answer["choices", 0, "text"]?.string)
        #expect(whole.hasPrefix(text))
        let scalars = Array(whole.unicodeScalars)
        let tokens = try #require(answer["choices", 0, "logprobs", "tokens"]?.array).compactMap { $0.string }
        let offsets = try #require(answer["choices", 0, "logprobs", "text_offset"]?.array).compactMap { $0.integer }
        #expect(tokens.count == offsets.count && offsets == offsets.sorted())
        for (token, offset) in zip(tokens, offsets) where !token.hasPrefix("bytes:") {
            let end = min(scalars.count, offset + token.unicodeScalars.count)
            #expect(Array(token.unicodeScalars) == Array(scalars[offset..<end]), "\(token) at \(offset)")
        }
    }

    @Test func manyPromptsInOneRequest() async throws {
        // More than the engine's slots and queue.
        let test = try TestModel()
        let prompts = (0..<9).map { [$0 + 3, 40, 50 + $0] }
        let body = #"{"prompt": \#(prompts), "n": 2, "max_tokens": 3, "temperature": 0}"#
        let answer = JSON.object(try await test.answer(CompletionExchange.self, body))
        let choices = try #require(answer["choices"]?.array)
        #expect(choices.count == 18)
        #expect(answer["usage", "prompt_tokens"]?.integer == 27)
        for (index, prompt) in prompts.enumerated() {
            let alone = JSON.object(
                try await test.answer(
                    CompletionExchange.self, #"{"prompt": \#(prompt), "max_tokens": 3, "temperature": 0}"#))
            #expect(alone["choices", 0, "text"] == choices[index * 2]["text"])
            #expect(alone["choices", 0, "text"] == choices[index * 2 + 1]["text"])
        }
    }

    @Test func streamsWhatItAnswersWhole() async throws {
        let test = try TestModel()
        let body = #""prompt": ["ab", "cd"], "echo": true, "logprobs": 1, "max_tokens": 5, "temperature": 0"#
        let whole = JSON.object(try await test.answer(CompletionExchange.self, "{\(body)}"))
        let events = try await test.stream(
            CompletionExchange.self, #"{\#(body), "stream": true, "stream_options": {"include_usage": true}}"#)
        #expect(events.last == .done)
        let chunks = try events.dropLast().map { try JSON(parsing: $0.data) }
        for index in 0..<2 {
            let own = chunks.filter { $0["choices", 0, "index"]?.integer == index }
            #expect(
                own.compactMap { $0["choices", 0, "text"]?.string }.joined() == whole["choices", index, "text"]?.string)
            for key in ["tokens", "token_logprobs", "text_offset"] {
                let parts = own.flatMap { $0["choices", 0, "logprobs", key]?.array ?? [] }
                #expect(.array(parts) == whole["choices", index, "logprobs", key], "\(key)")
            }
        }
        #expect(chunks.last?["usage", "total_tokens"] == whole["usage", "total_tokens"])
    }

    @Test(arguments: [
        ("{}", "prompt"), (#"{"prompt": []}"#, "prompt"), (#"{"prompt": [[]]}"#, "prompt[0]"),
        (#"{"prompt": 1}"#, "prompt"), (#"{"prompt": [1, "a"]}"#, "prompt[1]"), (#"{"prompt": [1, -1]}"#, "prompt[1]"),
        (#"{"prompt": ["a", 1]}"#, "prompt[1]"), (#"{"prompt": [[1], [1.5]]}"#, "prompt[1][0]"),
        (#"{"prompt": [288]}"#, "prompt"), (#"{"prompt": ""}"#, "prompt"),
        (#"{"prompt": "a", "max_tokens": 0}"#, "max_tokens"), (#"{"prompt": "a", "logprobs": 21}"#, "logprobs"),
        (#"{"prompt": "a", "logprobs": true}"#, "logprobs"), (#"{"prompt": "a", "echo": 1}"#, "echo"),
        (#"{"prompt": "a", "suffix": "b"}"#, "suffix"), (#"{"prompt": "a", "best_of": 2}"#, "best_of"),
        (#"{"prompt": ["a", "b", "c", "d", "e", "f", "g", "h", "i"], "n": 128}"#, "n"),
        (#"{"prompt": "a", "messages": []}"#, "messages"),
    ])
    func namesTheFieldAtFault(_ body: String, _ field: String) throws {
        let error = try #require(try TestModel().error(CompletionExchange.self, body), "\(body)")
        #expect(error.status == 400 && error.parameter == field, "\(error)")
    }
}
