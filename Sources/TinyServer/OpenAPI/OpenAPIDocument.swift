import TinyJSON

/// `GET /openapi.json`: what the server answers to, what it takes and what it gives, as OpenAPI 3.1 describes it.
///
/// Limits come from `FieldLimits` and routes from `Route`, which the server itself goes by, so the document cannot promise other
/// ones.
struct OpenAPIDocument: Sendable {
    let model: ServedModel
    /// Whether requests need a key.
    let needsKey: Bool

    var json: JSON {
        .members([
            ("openapi", "3.1.0"),
            (
                "info",
                [
                    "title": "tinygpt", "version": "1",
                    "description":
                        "A language model behind OpenAI's and Anthropic's interfaces. Fields that would change the answer and are not listed are refused; null counts as not there.",
                ]
            ),
            ("paths", .members(Route.allCases.map { ($0.rawValue, path($0)) })),
            (
                "components",
                [
                    "schemas": .members(requestSchemas + Self.answerSchemas),
                    "securitySchemes": [
                        "bearer": ["type": "http", "scheme": "bearer"],
                        "key": ["type": "apiKey", "in": "header", "name": "x-api-key"],
                    ],
                ]
            ),
            ("security", needsKey ? [["bearer": []], ["key": []]] : []),
        ])
    }

    // MARK: Paths

    private func path(_ route: Route) -> JSON {
        var members: [(String, JSON)] = []
        if route == .model {
            members.append(
                (
                    "parameters",
                    [
                        [
                            "name": "model", "in": "path", "required": true,
                            "schema": ["type": "string", "enum": .array(model.names.map(JSON.string))],
                        ]
                    ]
                ))
        }
        for method in route.methods { members.append((method.lowercased(), operation(route, method))) }
        return .members(members)
    }

    private func operation(_ route: Route, _ method: String) -> JSON {
        let about = Self.about(route)
        var members: [(String, JSON)] = [
            ("operationId", .string(method == "HEAD" ? "\(about.name)Head" : about.name)),
            ("summary", .string(about.summary)),
        ]
        if let request = about.request {
            members.append(
                (
                    "requestBody",
                    ["required": true, "content": ["application/json": ["schema": Schema.reference(request)]]]
                ))
        }
        if AccessRules.publicPaths.contains(route.rawValue) { members.append(("security", [])) }
        var answer: JSON = ["description": .string(method == "HEAD" ? "The head of the answer." : about.answer)]
        if method != "HEAD" { answer = Schema.adding([("content", .members(about.content))], to: answer) }
        members.append(
            (
                "responses",
                .members([("200", answer)] + errors(route, method))
            ))
        return .members(members)
    }

    private func errors(_ route: Route, _ method: String) -> [(String, JSON)] {
        let schema = Schema.reference(route.style == .anthropic ? "AnthropicError" : "OpenAIError")
        let content: [(String, JSON)] =
            method == "HEAD" ? [] : [("content", ["application/json": ["schema": schema]])]
        func response(_ description: String) -> JSON {
            Schema.adding(content, to: ["description": .string(description)])
        }
        var errors = [("4XX", response("The request cannot be answered; the message says why."))]
        if route == .health {
            // It speaks for itself when it is not well.
            errors.append(("503", ["description": "No progress.", "content": .members(Self.about(.health).content)]))
        } else {
            let retry: JSON = ["Retry-After": ["description": "Seconds.", "schema": Schema.integer]]
            let busy = Schema.adding([("headers", retry)], to: response("As many requests wait as may."))
            if route.methods.contains("POST") { errors.append(("429", busy)) }
        }
        return errors + [("5XX", response("The server cannot answer now."))]
    }
}
