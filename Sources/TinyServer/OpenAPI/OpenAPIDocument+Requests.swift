import TinyJSON

extension OpenAPIDocument {
    var requestSchemas: [(String, JSON)] {
        [
            ("ChatRequest", chat), ("CompletionRequest", completion), ("ResponsesRequest", responses),
            ("MessagesRequest", messages(counts: false)), ("CountTokensRequest", messages(counts: true)),
            ("TokenizeRequest", tokenize), ("DetokenizeRequest", detokenize),
        ]
    }

    /// Nothing, or the empty name, means whichever model there is.
    private var modelName: JSON { Schema.one(of: [nil, ""] + model.names.map(JSON.string)) }

    private func optional(_ properties: KeyValuePairs<String, JSON>) -> [(String, JSON)] {
        properties.map { ($0.key, Schema.optional($0.value)) }
    }

    private func anything(_ names: Set<String>) -> [(String, JSON)] { names.sorted().map { ($0, Schema.any) } }

    private func refused(_ names: String..., except values: [JSON] = []) -> [(String, JSON)] {
        names.map { ($0, Schema.refused(except: values)) }
    }

    // MARK: What they share

    private func sampling(_ temperature: ClosedRange<Double> = FieldLimits.temperature) -> [(String, JSON)] {
        optional([
            "temperature": Schema.number(temperature), "top_p": Schema.number(FieldLimits.topP),
            "top_k": Schema.integer(FieldLimits.topK), "min_p": Schema.number(FieldLimits.minP),
            "presence_penalty": Schema.number(FieldLimits.penalty),
            "frequency_penalty": Schema.number(FieldLimits.penalty),
            "repetition_penalty": Schema.number(FieldLimits.repetitionPenalty),
            "seed": Schema.integer(FieldLimits.seed),
        ])
    }

    private func stops(_ limit: Int) -> JSON {
        let text: JSON = ["type": "string", "minLength": 1]
        return Schema.any(of: text, Schema.array(of: text, 0...limit), ["type": "null"])
    }

    private var streaming: [(String, JSON)] {
        let options = Schema.closed(optional(["include_usage": Schema.bool]) + anything(["include_obfuscation"]))
        return optional(["stream": Schema.bool, "stream_options": options])
    }

    private static let streamOptionsNeedStream = Schema.when(
        "stream_options", ["type": "object"], "stream", is: true)

    /// A text, or blocks of text.
    ///
    /// - Parameter least: how many characters, or blocks, there have to be.
    private func text(_ types: [String], least: Int = 0, harmless: Set<String>) -> JSON {
        let block = Schema.closed(
            [("type", ["type": "string", "enum": .array(types.map(JSON.string))]), ("text", Schema.string)]
                + anything(harmless), required: ["type", "text"])
        let text = least > 0 ? ["type": "string", "minLength": .integer(least)] : Schema.string
        return Schema.any(of: text, Schema.array(of: block, least...Int.max))
    }

    // MARK: OpenAI's

    private var chat: JSON {
        let content = text(["text"], harmless: ["annotations", "cache_control"])
        let others =
            optional(["name": Schema.string]) + refused("tool_calls", "function_call", "tool_call_id", "audio")
            + anything(["refusal", "annotations", "id"])
        let asked = Schema.closed(
            [("role", Schema.words("system", "developer", "user")), ("content", content)] + others,
            required: ["role", "content"])
        let answered = Schema.closed(
            [("role", Schema.words("assistant")), ("content", Schema.optional(content))] + others, required: ["role"])
        let properties =
            [
                ("model", modelName),
                ("messages", Schema.array(of: Schema.any(of: asked, answered), 1...Int.max)),
            ] + sampling() + [("stop", stops(FieldLimits.stops))] + streaming
            + optional([
                "n": Schema.integer(FieldLimits.choices),
                "max_completion_tokens": Schema.integer(FieldLimits.maxTokens),
                "max_tokens": Schema.integer(FieldLimits.maxTokens), "logprobs": Schema.bool,
                "top_logprobs": Schema.integer(FieldLimits.topLogprobs),
                "chat_template_kwargs": ["type": "object"],
            ])
            + refused("tools", "tool_choice", "functions", "function_call", except: ["none", "auto"])
            + refused("logit_bias", "audio", "web_search_options")
            + refused("response_format", except: [["type": "text"]]) + refused("modalities", except: [["text"]])
            + refused("reasoning_effort", "verbosity", except: ["none", "medium"]) + anything(OpenAI.harmless)
        return Schema.adding(
            [
                (
                    "allOf",
                    [
                        Self.streamOptionsNeedStream,
                        Schema.when("top_logprobs", ["type": "integer", "minimum": 1], "logprobs", is: true),
                    ]
                )
            ], to: Schema.closed(properties, required: ["messages"]))
    }

    private var completion: JSON {
        let ids = Schema.array(of: Schema.integer(0...Int.max), 1...Int.max)
        let prompt = Schema.any(
            of: Schema.string, ids, Schema.array(of: Schema.any(of: Schema.string, ids), 1...Int.max))
        let properties =
            [("model", modelName), ("prompt", prompt)] + sampling() + [("stop", stops(FieldLimits.stops))] + streaming
            + optional([
                "n": Schema.integer(FieldLimits.choices), "max_tokens": Schema.integer(FieldLimits.maxTokensOrNone),
                "echo": Schema.bool, "logprobs": Schema.integer(FieldLimits.topLogprobs),
            ]) + refused("suffix", except: [""]) + refused("logit_bias")
            + [("best_of", Schema.any(of: Schema.refused(), Schema.integer(FieldLimits.choices)))]
            + anything(OpenAI.harmless)
        return Schema.adding(
            [
                (
                    "allOf",
                    [
                        Self.streamOptionsNeedStream,
                        Schema.when("max_tokens", ["type": "integer", "maximum": 0], "echo", is: true),
                    ]
                )
            ], to: Schema.closed(properties, required: ["prompt"]))
    }

    private var responses: JSON {
        let content = text(["input_text", "output_text"], least: 1, harmless: ResponsesExchange.harmlessInBlocks)
        let message = Schema.closed(
            optional(["type": Schema.words("message")]) + [
                ("role", Schema.words("user", "assistant", "system", "developer")), ("content", content),
            ] + anything(ResponsesExchange.harmlessInMessages), required: ["role", "content"])
        let reasoning = Schema.closed(
            refused("effort", "summary", except: ["none"]))
        let format = Schema.closed(
            refused("format", except: [["type": "text"]]) + refused("verbosity", except: ["medium"]))
        let properties =
            [
                ("model", modelName),
                (
                    "input",
                    Schema.any(
                        of: ["type": "string", "minLength": 1], Schema.array(of: message, FieldLimits.messages))
                ),
            ] + sampling()
            + optional([
                "instructions": Schema.string, "stream": Schema.bool,
                "max_output_tokens": Schema.integer(FieldLimits.maxTokens),
                "include": Schema.array(of: Schema.one(of: [.string(ResponsesExchange.includedLogprobs)])),
                "top_logprobs": Schema.integer(FieldLimits.topLogprobs),
                "metadata": [
                    "type": "object", "additionalProperties": Schema.string,
                    "maxProperties": .integer(FieldLimits.metadata),
                ],
                "stream_options": Schema.closed(anything(["include_obfuscation"])), "reasoning": reasoning,
                "text": format,
            ])
            + refused("previous_response_id", "conversation", "background", "prompt", "store", "moderation")
            + refused("tools", "tool_choice", except: ["none", "auto"])
            + refused("truncation", "context_management", except: ["disabled"])
            + anything(ResponsesExchange.harmless)
        return Schema.closed(properties, required: ["input"])
    }

    // MARK: Anthropic's

    private func messages(counts: Bool) -> JSON {
        let content = text(["text"], harmless: MessagesQuestion.harmlessInBlocks)
        // Only an answer may be empty: one that is not begun.
        let filled = text(["text"], least: 1, harmless: MessagesQuestion.harmlessInBlocks)
        let message = Schema.any(
            of: Schema.closed(
                [("role", Schema.words("user", "system")), ("content", filled)], required: ["role", "content"]),
            Schema.closed(
                [("role", Schema.words("assistant")), ("content", content)], required: ["role", "content"]))
        var properties =
            [
                ("model", Schema.one(of: [""] + model.names.map(JSON.string))),
                ("messages", Schema.array(of: message, FieldLimits.messages)), ("system", Schema.optional(content)),
            ] + refused("tools", "mcp_servers", "container", "context_management")
            + optional([
                "tool_choice": Schema.closed([("type", Schema.words("none"))], required: ["type"]),
                "thinking": Schema.closed([("type", Schema.words("disabled"))], required: ["type"]),
                "output_config": Schema.closed(refused("format", "effort")),
                "metadata": Schema.closed(optional(["user_id": Schema.string])),
            ]) + anything(MessagesQuestion.harmless)
        if !counts {
            properties +=
                sampling(FieldLimits.anthropicTemperature)
                + optional(["stream": Schema.bool]) + [("stop_sequences", stops(FieldLimits.anthropicStops))]
                + [("max_tokens", Schema.integer(FieldLimits.maxTokensOrNone))]
        }
        return Schema.closed(properties, required: ["model", "messages"] + (counts ? [] : ["max_tokens"]))
    }

    // MARK: Tokens

    private var tokenize: JSON {
        Schema.closed(
            [("model", Schema.any), ("content", Schema.string)]
                + optional(["add_special": Schema.bool, "parse_special": Schema.bool, "with_pieces": Schema.bool]),
            required: ["content"])
    }

    private var detokenize: JSON {
        Schema.closed(
            [("model", Schema.any), ("tokens", Schema.array(of: Schema.integer))], required: ["tokens"])
    }
}
