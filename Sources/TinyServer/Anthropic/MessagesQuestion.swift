import TinyJSON
import TinyRunner

/// What `POST /v1/messages` and `POST /v1/messages/count_tokens` have in common: a conversation, in Anthropic's words.
struct MessagesQuestion: Sendable {
    let model: String
    private let turns: Turns
    /// Whether the last turn is an answer that is begun, to be gone on with.
    private let continuesLast: Bool

    /// Speed, bookkeeping, and what this server does anyway.
    static let harmless: Set<String> = [
        "cache_control", "diagnostics", "inference_geo", "service_tier", "speed", "betas",
    ]
    static let harmlessInBlocks: Set<String> = ["cache_control", "citations"]

    var conversation: Conversation { turns.conversation(continuesLast: continuesLast) }

    init(_ fields: inout FieldReader) throws(APIError) {
        model = try fields.requiredString("model")
        (turns, continuesLast) = try Self.turns(&fields)
    }

    /// Refuses whatever else is asked for.
    func finish(_ fields: inout FieldReader) throws(APIError) {
        try fields.refuse(["tools", "mcp_servers"], "calls of tools are not supported here.")
        if var choice = try fields.fields("tool_choice") {
            if try choice.requiredString("type") != "none" {
                throw .unsupported("tool_choice", "calls of tools are not supported here.")
            }
            try choice.finish()
        }
        if var thinking = try fields.fields("thinking") {
            if try thinking.requiredString("type") != "disabled" {
                throw .unsupported("thinking", "only {\"type\": \"disabled\"} is supported here.")
            }
            try thinking.finish()
        }
        if var output = try fields.fields("output_config") {
            try output.refuse(["format", "effort"], "is not supported here.")
            try output.finish()
        }
        try fields.refuse(["container"], "is not supported here.")
        try fields.refuse(["context_management"], "is not supported here: nothing of a conversation is dropped.")
        if var metadata = try fields.fields("metadata") {
            _ = try metadata.string("user_id")
            try metadata.finish()
        }
        try fields.finish(harmless: Self.harmless)
    }
}

/// `POST /v1/messages/count_tokens`: how long a conversation is.
struct CountTokensQuestion: Sendable {
    let model: String?
    private let question: MessagesQuestion

    init(_ fields: FieldReader) throws(APIError) {
        var fields = fields
        question = try MessagesQuestion(&fields)
        model = question.model
        try question.finish(&fields)
    }

    func answer(_ model: ServedModel) throws(APIError) -> JSON {
        ["input_tokens": .integer(try model.tokens(of: question.conversation).count)]
    }
}
