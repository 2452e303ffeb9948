import TinyJSON
import TinyRunner

/// `POST /v1/responses`, OpenAI's newer interface, for texts. Nothing is stored.
struct ResponsesExchange: Exchange {
    static let style = WireStyle.openAI
    static let promptField = "input"

    let model: String?
    let streams: Bool
    let instructions: String?
    let maxTokens: Int?
    let sampling: Sampling
    /// Given back as it came.
    let metadata: JSON
    /// How many alternatives to tell of each token; nil for no probabilities.
    let candidates: Int?
    private let turns: Turns
    // What a stream has told so far.
    var opened: (ServedModel, AnswerIdentity)?
    var eventNumber = 0
    var hasItem = false
    /// Of the tokens so far, where they are asked for.
    var logprobs: [JSON] = []

    static let harmless = OpenAI.harmless.subtracting(["store", "metadata"]).union([
        "max_tool_calls", "prompt_cache_options",
    ])
    static let harmlessInBlocks: Set<String> = ["annotations", "logprobs", "prompt_cache_breakpoint"]
    /// What an earlier answer came with.
    static let harmlessInMessages: Set<String> = ["id", "status", "phase"]
    static let includedLogprobs = "message.output_text.logprobs"

    init(_ fields: FieldReader) throws(APIError) {
        var fields = fields
        model = try fields.string("model")
        instructions = try fields.string("instructions")
        turns = try Self.turns(instructions, &fields)
        streams = try fields.bool("stream") ?? false
        maxTokens = try fields.integer("max_output_tokens", FieldLimits.maxTokens)
        sampling = try fields.sampling()
        candidates = try Self.candidates(&fields)
        metadata = try Self.metadata(&fields)
        try Self.refuse(&fields)
        try fields.finish(harmless: Self.harmless)
    }

    func requests(to model: ServedModel) throws(APIError) -> [Engine.Request] {
        let options = GenerationOptions(maxTokens: maxTokens ?? .max, sampling: sampling)
        do throws(APIError) {
            let prompt = try model.tokens(of: turns.conversation())
            return [Engine.Request(prompt: prompt, options, candidates: candidates)]
        } catch {
            var error = error
            if error.parameter == "messages" { error.parameter = Self.promptField }
            throw error
        }
    }

    // MARK: Reading

    /// `top_logprobs`, and `include` where it asks for the same.
    private static func candidates(_ fields: inout FieldReader) throws(APIError) -> Int? {
        var wanted = false
        for (index, value) in (try fields.array("include") ?? []).enumerated() {
            guard case .string(Self.includedLogprobs) = value else {
                throw .unsupported("include[\(index)]", "only \"\(Self.includedLogprobs)\" is supported here.")
            }
            wanted = true
        }
        let top = try fields.integer("top_logprobs", FieldLimits.topLogprobs)
        return wanted ? top ?? 0 : top.flatMap { $0 > 0 ? $0 : nil }
    }

    private static func metadata(_ fields: inout FieldReader) throws(APIError) -> JSON {
        guard var reader = try fields.fields("metadata"), let value = fields.value("metadata"),
            case .object(let pairs) = value
        else { return [:] }
        guard pairs.count <= FieldLimits.metadata else {
            throw fields.outOfRange(
                "metadata", "an object of \(pairs.count)", "an object of at most \(FieldLimits.metadata) members")
        }
        for key in pairs.keys { _ = try reader.requiredString(key) }
        return value
    }

    private static func refuse(_ fields: inout FieldReader) throws(APIError) {
        try fields.refuse(
            ["previous_response_id", "conversation", "background", "prompt"],
            "is not supported here: nothing is stored; send the whole conversation as \"input\".")
        // It says that the answer can be asked for again, which it cannot.
        try fields.refuse(["store"], "is not supported here: nothing is stored.")
        try fields.refuse(
            ["tools", "tool_choice"], "calls of tools are not supported here.", except: ["none", "auto"])
        try fields.refuse(["moderation"], "is not supported here.")
        try fields.refuse(
            ["truncation", "context_management"], "is not supported here: nothing of a conversation is dropped.",
            except: ["disabled"])
        if let options = try fields.fields("stream_options") {
            // Random padding against onlookers of encrypted traffic, which this is not.
            try options.finish(harmless: ["include_obfuscation"])
        }
        if var reasoning = try fields.fields("reasoning") {
            try reasoning.refuse(["effort", "summary"], "is not supported here.", except: ["none"])
            try reasoning.finish()
        }
        if var text = try fields.fields("text") {
            try text.refuse(
                ["format"], "only {\"type\": \"text\"} is supported here.", except: [["type": "text"]])
            try text.refuse(["verbosity"], "is not supported here.", except: ["medium"])
            try text.finish()
        }
    }
}
