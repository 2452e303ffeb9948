import TinyJSON
import TinyRunner
import TinyTokenizer

/// `POST /v1/completions`: texts continued as they are, and scored: with `echo` and `logprobs` the answer tells how likely the
/// model held each token of the prompt.
struct CompletionExchange: Exchange {
    static let style = WireStyle.openAI
    static let promptField = "prompt"
    private static let choiceLimit = 1024

    let model: String?
    let streams: Bool
    private let includesUsage: Bool
    private let prompts: [CompletionPrompt]
    private let options: GenerationOptions
    private let choices: Int
    private let echoes: Bool
    /// How many alternatives to tell of each token; nil for no probabilities.
    private let candidates: Int?
    /// The prompts' tokens, known once there is a model.
    private var tokens: [[Int]] = []
    private var progress: [CompletionLogprobs] = []
    private var usage = Usage()

    init(_ fields: FieldReader) throws(APIError) {
        var fields = fields
        model = try fields.string("model")
        prompts = try CompletionPrompt.read(&fields)
        (streams, includesUsage) = try OpenAI.streaming(&fields)
        choices = try fields.integer("n", FieldLimits.choices) ?? 1
        if prompts.count * choices > Self.choiceLimit {
            throw .field(
                choices > 1 ? "n" : "prompt",
                "asks for \(prompts.count * choices) texts in all; at most \(Self.choiceLimit) are given at a time.",
                code: "invalid_value")
        }
        echoes = try fields.bool("echo") ?? false
        candidates = try fields.integer("logprobs", FieldLimits.topLogprobs)
        let maxTokens = try fields.integer("max_tokens", FieldLimits.maxTokensOrNone) ?? 16
        if maxTokens == 0 && !echoes {
            throw .field("max_tokens", "is 0, which makes sense only with \"echo\": true.", code: "invalid_value")
        }
        var options = GenerationOptions(
            maxTokens: maxTokens, sampling: try fields.sampling(), stops: try fields.stops())
        // Who scores a prompt asks for one token and takes it off again; an end token has a place of its own, then.
        options.ignoresEnd = echoes && candidates != nil && maxTokens == 1
        self.options = options
        try fields.refuse(["suffix"], "is not supported here.", except: [""])
        try fields.refuse(
            ["best_of"], "is not supported here; it may only be as large as \"n\".", except: [.integer(choices)])
        try fields.refuse(["logit_bias"], "is not supported here.")
        try fields.finish(harmless: OpenAI.harmless)
    }

    // MARK: Work

    mutating func requests(to model: ServedModel) throws(APIError) -> [Engine.Request] {
        tokens = prompts.map { $0.tokens(model) }
        let scoresPrompt = echoes && candidates != nil
        var requests: [Engine.Request] = []
        for prompt in tokens {
            for choice in 0..<choices {
                requests.append(
                    Engine.Request(
                        prompt: prompt, options.choice(choice), candidates: candidates,
                        promptCandidates: scoresPrompt ? candidates : nil))
            }
        }
        progress = requests.indices.map { generated(behind: echo(of: $0, model), model) }
        return requests
    }

    /// The prompt's text, where the answer is to begin with it.
    private func echo(of index: Int, _ model: ServedModel) -> String? {
        guard echoes else { return nil }
        return prompts[index / choices].text(model)
    }

    private func text(_ completion: Completion, _ model: ServedModel) -> (text: String, reason: StopReason) {
        // The end that was not to end the text is not text either.
        if options.ignoresEnd, let only = completion.tokens.first, model.endOfText.contains(only) {
            return ("", .endOfText)
        }
        return (completion.text, completion.stopReason)
    }

    private func generated(behind echo: String?, _ model: ServedModel) -> CompletionLogprobs {
        CompletionLogprobs(start: echo?.unicodeScalars.count ?? 0, model.tokenizer)
    }

    private func promptLogprobs(
        _ scores: [ScoredToken], _ index: Int, top: Int, _ model: ServedModel
    ) -> CompletionLogprobLists {
        // What the model wants in front of a text is no part of the text that was sent.
        let isText = if case .text = prompts[index / choices] { true } else { false }
        var logprobs = CompletionLogprobs(start: 0, model.tokenizer, skipsSpecial: isText)
        return logprobs.lists(scores, top: top)
    }

    // MARK: One answer

    func answer(_ completions: [Completion], of model: ServedModel, _ identity: AnswerIdentity) -> JSON {
        let choices = completions.enumerated().map { index, completion -> JSON in
            let (text, reason) = text(completion, model)
            let echo = echo(of: index, model)
            var logprobs: JSON = nil
            if let candidates {
                let prompt = echo == nil ? [] : completion.promptScores
                var rest = generated(behind: echo, model)
                logprobs =
                    (promptLogprobs(prompt, index, top: candidates, model)
                    + rest.lists(completion.scored, top: candidates)).json
            }
            return choice(index, (echo ?? "") + text, logprobs: logprobs, ends: reason)
        }
        return .members(
            head(of: model, identity) + [
                ("choices", .array(choices)),
                ("usage", OpenAI.usage(Usage(completions, choices: self.choices))),
            ])
    }

    private func head(of model: ServedModel, _ identity: AnswerIdentity) -> [(String, JSON)] {
        [
            ("id", .string("cmpl-\(identity.id)")), ("object", "text_completion"),
            ("created", .integer(identity.created)),
            ("model", .string(self.model.flatMap { $0.isEmpty ? nil : $0 } ?? model.name)),
            ("system_fingerprint", .string(model.fingerprint)),
        ]
    }

    private func choice(_ index: Int, _ text: String, logprobs: JSON = nil, ends reason: StopReason? = nil) -> JSON {
        [
            "index": .integer(index), "text": .string(text), "logprobs": logprobs,
            "finish_reason": .text(reason.map(OpenAI.finishReason)),
        ]
    }

    // MARK: Events

    private func chunk(_ choices: [JSON], _ usage: JSON = nil, of model: ServedModel, _ identity: AnswerIdentity)
        -> ServerSentEvent
    {
        var members = head(of: model, identity)
        members.append(("choices", .array(choices)))
        if includesUsage { members.append(("usage", usage)) }
        return ServerSentEvent(.members(members))
    }

    func opening(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent] {
        // With probabilities the text comes with them.
        guard echoes, candidates == nil else { return [] }
        return progress.indices.map { index in
            chunk([choice(index, echo(of: index, model) ?? "")], of: model, identity)
        }
    }

    mutating func events(
        for event: Engine.Event, choice index: Int, of model: ServedModel, _ identity: AnswerIdentity
    ) -> [ServerSentEvent] {
        switch event {
        case .started, .read: return []
        case .promptScores(let scores):
            guard let candidates, let echo = echo(of: index, model) else { return [] }
            let logprobs = promptLogprobs(scores, index, top: candidates, model)
            return [chunk([choice(index, echo, logprobs: logprobs.json)], of: model, identity)]
        case .piece(let piece):
            let isEnd = options.ignoresEnd && piece.tokens.contains { model.endOfText.contains($0.token) }
            let text = isEnd ? "" : piece.text
            if text.isEmpty && (candidates == nil || piece.tokens.isEmpty) { return [] }
            var logprobs: JSON = nil
            if let candidates, !piece.tokens.isEmpty {
                logprobs = progress[index].lists(piece.tokens, top: candidates).json
            }
            return [chunk([choice(index, text, logprobs: logprobs)], of: model, identity)]
        case .finished(let completion):
            usage.add(completion, countsPrompt: index % choices == 0)
            return [
                chunk([choice(index, "", ends: text(completion, model).reason)], of: model, identity)
            ]
        }
    }

    func closing(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent] {
        (includesUsage ? [chunk([], OpenAI.usage(usage), of: model, identity)] : []) + [.done]
    }

    func failure(_ error: APIError) -> [ServerSentEvent] { OpenAI.events(error) }
}
