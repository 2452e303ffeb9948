import TinyJSON
import TinyRunner
import TinyTokenizer

/// What OpenAI's endpoints have in common.
enum OpenAI {
    /// Fields of theirs that do not change the text: what they are for is the business of OpenAI's own service.
    static let harmless: Set<String> = [
        "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
        "parallel_tool_calls", "prediction",
    ]

    /// How an answer ended, in OpenAI's words.
    static func finishReason(_ reason: StopReason) -> String {
        switch reason {
        case .endOfText, .stopString: "stop"
        case .maxTokens, .contextFull, .cancelled: "length"
        }
    }

    static func usage(_ usage: Usage) -> JSON {
        [
            "prompt_tokens": .integer(usage.prompt), "completion_tokens": .integer(usage.completion),
            "total_tokens": .integer(usage.prompt + usage.completion),
            "prompt_tokens_details": ["cached_tokens": .integer(usage.cached), "audio_tokens": 0],
            "completion_tokens_details": [
                "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            ],
        ]
    }

    static func model(_ model: ServedModel, named name: String) -> JSON {
        [
            "id": .string(name), "object": "model", "created": .integer(model.created), "owned_by": "tinygpt",
            // What local engines add, and clients go by.
            "max_model_len": .integer(model.context),
        ]
    }

    static func models(_ model: ServedModel) -> JSON {
        ["object": "list", "data": .array(model.names.map { Self.model(model, named: $0) })]
    }

    /// Whether to stream, and whether a stream ends with the counts of tokens.
    static func streaming(_ fields: inout FieldReader) throws(APIError) -> (streams: Bool, includesUsage: Bool) {
        let streams = try fields.bool("stream") ?? false
        guard var options = try fields.fields("stream_options") else { return (streams, false) }
        guard streams else {
            throw .field("stream_options", "makes sense only with \"stream\": true.", code: "invalid_value")
        }
        let includesUsage = try options.bool("include_usage") ?? false
        // Random padding against onlookers of encrypted traffic, which this is not.
        try options.finish(harmless: ["include_obfuscation"])
        return (streams, includesUsage)
    }

    static func events(_ error: APIError) -> [ServerSentEvent] { [ServerSentEvent(error.body(.openAI))] }
}
