import TinyJSON
import TinyRunner

extension ResponsesExchange {
    /// How far an answer has come.
    enum Progress {
        case begun
        case done(Completion)
        case failed(APIError)
    }

    func answer(_ completions: [Completion], of model: ServedModel, _ identity: AnswerIdentity) -> JSON {
        guard let completion = completions.first else { return nil }
        let logprobs = completion.scored.map { ChatLogprob.json($0, model.tokenizer) }
        return response(
            .done(completion), output: [message(completion, logprobs, identity)], of: model, identity)
    }

    func response(
        _ progress: Progress, output: [JSON] = [], of model: ServedModel, _ identity: AnswerIdentity
    ) -> JSON {
        let state = state(progress)
        return [
            "id": .string("resp_\(identity.id)"), "object": "response", "created_at": .integer(identity.created),
            "status": .string(state.status), "background": false, "error": state.error,
            "incomplete_details": state.incomplete, "instructions": .text(instructions),
            "max_output_tokens": .number(maxTokens), "metadata": metadata,
            "model": .string(self.model.flatMap { $0.isEmpty ? nil : $0 } ?? model.name), "output": .array(output),
            "parallel_tool_calls": true, "previous_response_id": nil, "reasoning": ["effort": nil, "summary": nil],
            "store": false, "temperature": Self.number(sampling.temperature), "text": ["format": ["type": "text"]],
            "tool_choice": "auto", "tools": [], "top_logprobs": .integer(candidates ?? 0),
            "top_p": Self.number(sampling.topP), "truncation": "disabled", "usage": state.usage,
        ]
    }

    /// With as few digits as the number needs: 0.7 for 0.7, and not 0.699999988079071.
    private static func number(_ value: Float) -> JSON { .number(Double("\(value)") ?? Double(value)) }

    private func state(_ progress: Progress) -> (status: String, error: JSON, incomplete: JSON, usage: JSON) {
        switch progress {
        case .begun: ("in_progress", nil, nil, nil)
        case .failed(let error):
            ("failed", ["code": "server_error", "message": .string(error.message)], nil, nil)
        case .done(let completion):
            Self.isComplete(completion)
                ? ("completed", nil, nil, usage(completion))
                : ("incomplete", nil, ["reason": "max_output_tokens"], usage(completion))
        }
    }

    static func isComplete(_ completion: Completion) -> Bool {
        OpenAI.finishReason(completion.stopReason) == "stop"
    }

    private func usage(_ completion: Completion) -> JSON {
        let usage = Usage([completion])
        return [
            "input_tokens": .integer(usage.prompt),
            "input_tokens_details": ["cached_tokens": .integer(usage.cached), "cache_write_tokens": 0],
            "output_tokens": .integer(usage.completion), "output_tokens_details": ["reasoning_tokens": 0],
            "total_tokens": .integer(usage.prompt + usage.completion),
        ]
    }

    // MARK: The one message in it

    func message(_ completion: Completion, _ logprobs: [JSON], _ identity: AnswerIdentity) -> JSON {
        message(
            Self.isComplete(completion) ? "completed" : "incomplete", [Self.part(completion.text, logprobs)], identity)
    }

    func message(_ status: String, _ content: [JSON], _ identity: AnswerIdentity) -> JSON {
        [
            "id": .string("msg_\(identity.id)"), "type": "message", "role": "assistant", "status": .string(status),
            "content": .array(content),
        ]
    }

    static func part(_ text: String, _ logprobs: [JSON] = []) -> JSON {
        ["type": "output_text", "text": .string(text), "annotations": [], "logprobs": .array(logprobs)]
    }
}
