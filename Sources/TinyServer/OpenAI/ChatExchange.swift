import TinyJSON
import TinyRunner
import TinyTemplate
import TinyTokenizer

/// `POST /v1/chat/completions`
struct ChatExchange: Exchange {
    static let style = WireStyle.openAI
    static let promptField = "messages"

    let model: String?
    let streams: Bool
    private let includesUsage: Bool
    private let conversation: Conversation
    private let options: GenerationOptions
    private let choices: Int
    /// How many alternatives to tell of each token; nil for no probabilities.
    private let candidates: Int?
    /// What a stream has told so far.
    private var usage = Usage()

    init(_ fields: FieldReader) throws(APIError) {
        var fields = fields
        model = try fields.string("model")
        var conversation = try ChatMessages.read(&fields)
        conversation.variables = try Self.variables(&fields)
        self.conversation = conversation
        (streams, includesUsage) = try OpenAI.streaming(&fields)
        choices = try fields.integer("n", FieldLimits.choices) ?? 1
        let maxTokens = try fields.integer("max_completion_tokens", FieldLimits.maxTokens)
        let older = try fields.integer("max_tokens", FieldLimits.maxTokens)
        options = GenerationOptions(
            maxTokens: maxTokens ?? older ?? .max, sampling: try fields.sampling(), stops: try fields.stops())
        candidates = try Self.candidates(&fields)
        try Self.refuse(&fields)
        try fields.finish(harmless: OpenAI.harmless)
    }

    /// `logprobs` and `top_logprobs`.
    private static func candidates(_ fields: inout FieldReader) throws(APIError) -> Int? {
        let wanted = try fields.bool("logprobs") ?? false
        let top = try fields.integer("top_logprobs", FieldLimits.topLogprobs)
        if let top, top > 0, !wanted {
            throw .field("top_logprobs", "makes sense only with \"logprobs\": true.", code: "invalid_value")
        }
        return wanted ? top ?? 0 : nil
    }

    /// Variables for the template, such as `enable_thinking`.
    private static func variables(_ fields: inout FieldReader) throws(APIError) -> [(String, TemplateValue)] {
        guard let value = fields.value("chat_template_kwargs") else { return [] }
        guard case .object(let object) = value else {
            throw fields.wrongType("chat_template_kwargs", value, "an object")
        }
        var variables: [(String, TemplateValue)] = []
        for (key, value) in zip(object.keys, object.values) {
            if ["messages", "tools", "documents", "add_generation_prompt"].contains(key) {
                throw .unsupported("chat_template_kwargs.\(key)", "is the server's own variable.")
            }
            do { variables.append((key, try TemplateValue(json: value.written))) } catch {
                throw APIError(error, parameter: "chat_template_kwargs.\(key)")
            }
        }
        return variables
    }

    private static func refuse(_ fields: inout FieldReader) throws(APIError) {
        try fields.refuse(
            ["tools", "tool_choice", "functions", "function_call"], "calls of tools are not supported here.",
            except: ["none", "auto"])
        try fields.refuse(["logit_bias"], "is not supported here.")
        try fields.refuse(
            ["response_format"], "only {\"type\": \"text\"} is supported here.", except: [["type": "text"]])
        try fields.refuse(["modalities"], "only [\"text\"] is supported here.", except: [["text"]])
        try fields.refuse(["audio", "web_search_options"], "is not supported here.")
        try fields.refuse(
            ["reasoning_effort", "verbosity"], "is not supported here.", except: ["none", "medium"])
    }

    // MARK: Work

    func requests(to model: ServedModel) throws(APIError) -> [Engine.Request] {
        let prompt = try model.tokens(of: conversation)
        return (0..<choices).map { choice in
            Engine.Request(prompt: prompt, options.choice(choice), candidates: candidates)
        }
    }

    // MARK: One answer

    func answer(_ completions: [Completion], of model: ServedModel, _ identity: AnswerIdentity) -> JSON {
        let choices = completions.enumerated().map { index, completion -> JSON in
            [
                "index": .integer(index),
                "message": [
                    "role": "assistant", "content": .string(completion.text), "refusal": nil, "annotations": [],
                ],
                "logprobs": logprobs(completion.scored, of: model),
                "finish_reason": .string(OpenAI.finishReason(completion.stopReason)),
            ]
        }
        return .members(
            head("chat.completion", of: model, identity) + [
                ("choices", .array(choices)),
                ("usage", OpenAI.usage(Usage(completions, choices: completions.count))),
            ])
    }

    private func head(_ object: String, of model: ServedModel, _ identity: AnswerIdentity) -> [(String, JSON)] {
        [
            ("id", .string("chatcmpl-\(identity.id)")), ("object", .string(object)),
            ("created", .integer(identity.created)),
            ("model", .string(self.model.flatMap { $0.isEmpty ? nil : $0 } ?? model.name)),
            ("system_fingerprint", .string(model.fingerprint)),
        ]
    }

    private func logprobs(_ tokens: [ScoredToken], of model: ServedModel) -> JSON {
        guard candidates != nil else { return nil }
        return ["content": .array(tokens.map { ChatLogprob.json($0, model.tokenizer) }), "refusal": nil]
    }

    // MARK: Events

    private func chunk(_ choices: [JSON], _ usage: JSON = nil, of model: ServedModel, _ identity: AnswerIdentity)
        -> ServerSentEvent
    {
        var members = head("chat.completion.chunk", of: model, identity)
        members.append(("choices", .array(choices)))
        // Where it was asked for, every chunk has the field.
        if includesUsage { members.append(("usage", usage)) }
        return ServerSentEvent(.members(members))
    }

    private func choice(_ index: Int, _ delta: JSON, logprobs: JSON = nil, ends reason: StopReason? = nil) -> JSON {
        [
            "index": .integer(index), "delta": delta, "logprobs": logprobs,
            "finish_reason": .text(reason.map(OpenAI.finishReason)),
        ]
    }

    func opening(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent] {
        (0..<choices).map { index in
            chunk(
                [choice(index, ["role": "assistant", "content": "", "refusal": nil])], of: model, identity)
        }
    }

    mutating func events(
        for event: Engine.Event, choice index: Int, of model: ServedModel, _ identity: AnswerIdentity
    ) -> [ServerSentEvent] {
        switch event {
        case .started, .read, .promptScores: return []
        case .piece(let piece):
            if piece.text.isEmpty && (candidates == nil || piece.tokens.isEmpty) { return [] }
            let logprobs = piece.tokens.isEmpty ? JSON.null : logprobs(piece.tokens, of: model)
            return [
                chunk([choice(index, ["content": .string(piece.text)], logprobs: logprobs)], of: model, identity)
            ]
        case .finished(let completion):
            usage.add(completion, countsPrompt: usage.prompt == 0)
            return [chunk([choice(index, [:], ends: completion.stopReason)], of: model, identity)]
        }
    }

    func closing(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent] {
        (includesUsage ? [chunk([], OpenAI.usage(usage), of: model, identity)] : []) + [.done]
    }

    func failure(_ error: APIError) -> [ServerSentEvent] { OpenAI.events(error) }
}

/// A token of a chat's answer with its alternatives.
enum ChatLogprob {
    static func json(_ scored: ScoredToken, _ tokenizer: Tokenizer) -> JSON {
        let logprobs = TokenLogprobs(scored)
        return .members(
            entry(logprobs.token, logprobs.logprob ?? TokenLogprobs.least, tokenizer) + [
                ("top_logprobs", .array(logprobs.top.map { .members(entry($0.token, $0.logprob, tokenizer)) }))
            ])
    }

    private static func entry(_ token: Int, _ logprob: Double, _ tokenizer: Tokenizer) -> [(String, JSON)] {
        let bytes = tokenizer.wireBytes(token)
        return [
            ("token", .string(String(decoding: bytes, as: UTF8.self))), ("logprob", .number(logprob)),
            ("bytes", .array(bytes.map { .integer(Int($0)) })),
        ]
    }
}

extension GenerationOptions {
    /// The same for another choice of an answer: with a seed of its own, so that choices differ.
    func choice(_ index: Int) -> GenerationOptions {
        var copy = self
        copy.sampling.seed = sampling.seed.map { $0 &+ UInt64(index) }
        return copy
    }
}
