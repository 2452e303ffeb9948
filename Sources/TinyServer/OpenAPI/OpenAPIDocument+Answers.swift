import TinyJSON

extension OpenAPIDocument {
    static let answerSchemas: [(String, JSON)] = [
        ("ChatCompletion", chatCompletion), ("Completion", textCompletion), ("Response", response),
        ("Message", message), ("TokenCount", Schema.answer(["input_tokens": count])),
        ("Tokens", tokens), ("Text", Schema.answer(["content": Schema.string])),
        (
            "Models",
            Schema.answer(["object": Schema.words("list"), "data": Schema.array(of: Schema.reference("Model"))])
        ),
        (
            "Model",
            Schema.answer([
                "id": Schema.string, "object": Schema.words("model"), "created": Schema.integer,
                "owned_by": Schema.string,
            ])
        ),
        (
            "Health",
            Schema.answer([
                "status": Schema.words("ok", "draining", "stuck"), "waiting": count, "reading": count,
                "decoding": count,
                "seconds_in_pass": Schema.optional(Schema.number),
            ])
        ), ("OpenAIError", openAIError),
        ("AnthropicError", anthropicError),
    ]

    private static let count = Schema.integer(0...Int.max)
    private static let text = Schema.optional(Schema.string)
    private static let logprob: JSON = ["type": "number", "maximum": 0]

    private static let usage = Schema.answer([
        "prompt_tokens": count, "completion_tokens": count, "total_tokens": count,
        "prompt_tokens_details": Schema.answer(["cached_tokens": count]),
    ])

    private static let tokenLogprob = Schema.answer([
        "token": Schema.string, "logprob": logprob, "bytes": Schema.array(of: Schema.integer(0...255)),
        "top_logprobs": Schema.array(
            of: Schema.answer([
                "token": Schema.string, "logprob": logprob, "bytes": Schema.array(of: Schema.integer(0...255)),
            ])),
    ])

    private static func completion(_ object: String, _ choice: KeyValuePairs<String, JSON>) -> JSON {
        Schema.answer([
            "id": Schema.string, "object": Schema.words(object), "created": Schema.integer, "model": Schema.string,
            "choices": Schema.array(of: Schema.answer(choice)), "usage": usage,
        ])
    }

    private static let chatCompletion = completion(
        "chat.completion",
        [
            "index": count,
            "message": Schema.answer(["role": Schema.words("assistant"), "content": Schema.string]),
            "logprobs": Schema.optional(Schema.answer(["content": Schema.array(of: tokenLogprob)])),
            "finish_reason": Schema.words("stop", "length"),
        ])

    private static let textCompletion = completion(
        "text_completion",
        [
            "index": count, "text": Schema.string,
            "logprobs": Schema.optional(
                Schema.answer([
                    "tokens": Schema.array(of: Schema.string),
                    "token_logprobs": Schema.array(of: Schema.optional(logprob)),
                    "text_offset": Schema.array(of: count),
                ])), "finish_reason": Schema.words("stop", "length"),
        ])

    private static let response = Schema.answer([
        "id": Schema.string, "object": Schema.words("response"), "created_at": Schema.integer,
        "status": Schema.words("completed", "incomplete", "failed", "in_progress"), "model": Schema.string,
        "output": Schema.array(
            of: Schema.answer([
                "id": Schema.string, "type": Schema.words("message"), "role": Schema.words("assistant"),
                "status": Schema.words("completed", "incomplete"),
                "content": Schema.array(
                    of: Schema.answer([
                        "type": Schema.words("output_text"), "text": Schema.string,
                        "logprobs": Schema.array(of: tokenLogprob),
                    ])),
            ])),
        "usage": Schema.answer([
            "input_tokens": count, "output_tokens": count, "total_tokens": count,
            "input_tokens_details": Schema.answer(["cached_tokens": count]),
        ]),
    ])

    private static let message = Schema.answer([
        "id": Schema.string, "type": Schema.words("message"), "role": Schema.words("assistant"),
        "model": Schema.string,
        "content": Schema.array(of: Schema.answer(["type": Schema.words("text"), "text": Schema.string])),
        "stop_reason": Schema.words("end_turn", "max_tokens", "stop_sequence", "model_context_window_exceeded"),
        "stop_sequence": text,
        "usage": Schema.answer([
            "input_tokens": count, "output_tokens": count, "cache_read_input_tokens": count,
            "cache_creation_input_tokens": count,
        ]),
    ])

    private static let tokens = Schema.answer([
        "tokens": Schema.array(
            of: Schema.any(
                of: count,
                Schema.answer([
                    "id": count, "piece": Schema.any(of: Schema.string, Schema.array(of: Schema.integer(0...255))),
                ])))
    ])

    private static let openAIError = Schema.answer([
        "error": Schema.answer(["message": Schema.string, "type": Schema.string, "param": text, "code": text])
    ])

    private static let anthropicError = Schema.answer([
        "type": Schema.words("error"), "error": Schema.answer(["type": Schema.string, "message": Schema.string]),
    ])
}
