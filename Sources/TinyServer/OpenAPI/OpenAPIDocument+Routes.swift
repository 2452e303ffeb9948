import TinyJSON

extension OpenAPIDocument {
    /// What is to be told of a route.
    struct About {
        let name: String
        let summary: String
        let answer: String
        /// Which schema its body has.
        var request: String?
        /// Kinds of content and their schemas.
        let content: [(String, JSON)]
    }

    static func about(_ route: Route) -> About {
        switch route {
        case .page:
            About(
                name: "page", summary: "A page that chats with the model", answer: "The page.",
                content: [("text/html", ["schema": Schema.string])])
        case .health:
            About(
                name: "health", summary: "Whether the server makes progress", answer: "It does.",
                content: value("Health"))
        case .metrics:
            About(
                name: "metrics", summary: "Counts and times, for Prometheus", answer: "Prometheus' text format.",
                content: [("text/plain", ["schema": Schema.string])])
        case .openAPI:
            About(
                name: "openapi", summary: "This document", answer: "This document.",
                content: [("application/json", ["schema": ["type": "object"]])])
        case .models:
            About(name: "listModels", summary: "The models served here", answer: "A list.", content: value("Models"))
        case .model:
            About(name: "retrieveModel", summary: "One model", answer: "The model.", content: value("Model"))
        case .chat:
            streaming(
                "createChatCompletion", "Answer a conversation, as OpenAI's chat completions", "ChatRequest",
                "ChatCompletion")
        case .completions:
            streaming("createCompletion", "Continue or score texts", "CompletionRequest", "Completion")
        case .responses:
            streaming(
                "createResponse", "Answer a conversation, as OpenAI's responses", "ResponsesRequest", "Response")
        case .messages:
            streaming(
                "createMessage", "Answer a conversation, as Anthropic's messages", "MessagesRequest", "Message")
        case .countTokens:
            About(
                name: "countTokens", summary: "How many tokens a conversation has", answer: "The count.",
                request: "CountTokensRequest", content: value("TokenCount"))
        case .tokenize:
            About(
                name: "tokenize", summary: "The tokens of a text", answer: "The tokens.", request: "TokenizeRequest",
                content: value("Tokens"))
        case .detokenize:
            About(
                name: "detokenize", summary: "The text of tokens", answer: "The text.", request: "DetokenizeRequest",
                content: value("Text"))
        }
    }

    private static func value(_ schema: String) -> [(String, JSON)] {
        [("application/json", ["schema": Schema.reference(schema)])]
    }

    private static func streaming(_ name: String, _ summary: String, _ request: String, _ answer: String) -> About {
        About(
            name: name, summary: summary, answer: "The answer, or with \"stream\": true its events.", request: request,
            content: value(answer) + [("text/event-stream", [:])])
    }
}
