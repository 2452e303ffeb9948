import TinyJSON
import TinyRunner

/// `POST /v1/messages`, Anthropic's interface, for texts.
struct MessagesExchange: Exchange {
    static let style = WireStyle.anthropic
    static let promptField = "messages"

    let model: String?
    let streams: Bool
    private let question: MessagesQuestion
    private let options: GenerationOptions
    // What a stream has told so far.
    private var promptTokens = 0
    private var hasBegun = false
    private var hasText = false

    init(_ fields: FieldReader) throws(APIError) {
        var fields = fields
        question = try MessagesQuestion(&fields)
        model = question.model
        guard let maxTokens = try fields.integer("max_tokens", FieldLimits.maxTokensOrNone) else {
            throw .field(
                "max_tokens", "is missing; the most tokens that the answer may have are expected.",
                code: "missing_required_parameter")
        }
        options = GenerationOptions(
            maxTokens: maxTokens, sampling: try fields.sampling(temperature: FieldLimits.anthropicTemperature),
            stops: try fields.stops("stop_sequences", limit: FieldLimits.anthropicStops))
        streams = try fields.bool("stream") ?? false
        try question.finish(&fields)
    }

    mutating func requests(to model: ServedModel) throws(APIError) -> [Engine.Request] {
        let prompt = try model.tokens(of: question.conversation)
        promptTokens = prompt.count
        return [Engine.Request(prompt: prompt, options)]
    }

    // MARK: One answer

    func answer(_ completions: [Completion], of model: ServedModel, _ identity: AnswerIdentity) -> JSON {
        guard let completion = completions.first else { return nil }
        return message(
            completion.text, stopReason: Self.stopReason(completion), stopString: completion.stopString,
            usage(cached: completion.cachedTokens, generated: completion.completionTokens), of: model, identity)
    }

    private func message(
        _ text: String, stopReason: String? = nil, stopString: String? = nil, _ usage: JSON, of model: ServedModel,
        _ identity: AnswerIdentity
    ) -> JSON {
        [
            "id": .string("msg_\(identity.id)"), "type": "message", "role": "assistant",
            "model": .string(self.model.flatMap { $0.isEmpty ? nil : $0 } ?? model.name),
            "content": text.isEmpty ? [] : [Self.block(text)],
            "stop_reason": .text(stopReason), "stop_sequence": .text(stopString), "usage": usage,
        ]
    }

    private static func block(_ text: String) -> JSON { ["type": "text", "text": .string(text)] }

    /// The prompt's tokens are split: those that were in the cache count apart.
    private func usage(cached: Int, generated: Int) -> JSON {
        [
            "input_tokens": .integer(max(0, promptTokens - cached)), "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": .integer(cached), "output_tokens": .integer(generated),
        ]
    }

    private static func stopReason(_ completion: Completion) -> String {
        switch completion.stopReason {
        case .endOfText: "end_turn"
        case .stopString: "stop_sequence"
        case .maxTokens, .cancelled: "max_tokens"
        case .contextFull: "model_context_window_exceeded"
        }
    }

    // MARK: Events

    /// Nothing: the first event tells how much of the prompt was in the cache, which is known when its turn has come.
    func opening(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent] { [] }

    ///     message_start  ping  ( content_block_start  content_block_delta…  content_block_stop )?  message_delta  message_stop
    mutating func events(
        for event: Engine.Event, choice: Int, of model: ServedModel, _ identity: AnswerIdentity
    ) -> [ServerSentEvent] {
        switch event {
        case .started(let cached): begin(cached, of: model, identity)
        case .read, .promptScores: []
        case .piece(let piece): begin(0, of: model, identity) + text(piece.text)
        case .finished(let completion): begin(completion.cachedTokens, of: model, identity) + end(completion)
        }
    }

    func closing(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent] { [] }

    func failure(_ error: APIError) -> [ServerSentEvent] {
        [ServerSentEvent(name: "error", error.body(.anthropic))]
    }

    private mutating func begin(
        _ cached: Int, of model: ServedModel, _ identity: AnswerIdentity
    ) -> [ServerSentEvent] {
        if hasBegun { return [] }
        hasBegun = true
        return [
            Self.event(
                "message_start", ["message": message("", usage(cached: cached, generated: 0), of: model, identity)]),
            Self.event("ping", [:]),
        ]
    }

    private mutating func text(_ text: String) -> [ServerSentEvent] {
        if text.isEmpty { return [] }
        let delta = Self.event(
            "content_block_delta", ["index": 0, "delta": ["type": "text_delta", "text": .string(text)]])
        if hasText { return [delta] }
        hasText = true
        return [Self.event("content_block_start", ["index": 0, "content_block": Self.block("")]), delta]
    }

    private func end(_ completion: Completion) -> [ServerSentEvent] {
        let delta: JSON = [
            "stop_reason": .string(Self.stopReason(completion)), "stop_sequence": .text(completion.stopString),
        ]
        let usage = usage(cached: completion.cachedTokens, generated: completion.completionTokens)
        return (hasText ? [Self.event("content_block_stop", ["index": 0])] : [])
            + [Self.event("message_delta", ["delta": delta, "usage": usage]), Self.event("message_stop", [:])]
    }

    /// Every event says its name twice: to the stream's reader, and in its own value.
    private static func event(_ name: String, _ members: KeyValuePairs<String, JSON>) -> ServerSentEvent {
        ServerSentEvent(name: name, .members([("type", .string(name))] + members.map { ($0.key, $0.value) }))
    }
}
