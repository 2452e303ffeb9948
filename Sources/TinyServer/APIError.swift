import TinyJSON

/// Whose shape an answer has: clients of each API read errors in their own.
enum WireStyle: Sendable {
    case openAI
    case anthropic
}

/// An error as a client of the API gets it.
struct APIError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The HTTP status.
    var status: Int
    /// What is wrong, and what to do, in a sentence for a person.
    var message: String
    /// OpenAI's kind of error; Anthropic's follows from the status.
    var type: String
    /// A word that programs can go by, such as `context_length_exceeded`.
    var code: String?
    /// The field at fault, such as `messages[1].content`.
    var parameter: String?
    /// After how many seconds it makes sense to try again.
    var retryAfter: Int?
    /// Which methods the route has, where the one used is not among them.
    var allow: String?

    init(
        status: Int, _ message: String, type: String = "invalid_request_error", code: String? = nil,
        parameter: String? = nil, retryAfter: Int? = nil, allow: String? = nil
    ) {
        (self.status, self.message, self.type, self.code) = (status, message, type, code)
        (self.parameter, self.retryAfter, self.allow) = (parameter, retryAfter, allow)
    }

    var description: String { "\(status): \(message)" }

    /// The body of the answer.
    ///
    /// - Parameter requestID: Anthropic's errors say which request they are about.
    func body(_ style: WireStyle, requestID: String? = nil) -> JSON {
        switch style {
        case .openAI:
            [
                "error": [
                    "message": .string(message), "type": .string(type), "param": .text(parameter), "code": .text(code),
                ]
            ]
        case .anthropic:
            .members(
                [
                    ("type", "error"), ("error", ["type": .string(anthropicType), "message": .string(message)]),
                ] + (requestID.map { [("request_id", .string($0))] } ?? []))
        }
    }

    private var anthropicType: String {
        switch status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404, 405: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 504: "timeout_error"
        case 503, 529: "overloaded_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }
}

// MARK: What may be wrong with a request

extension APIError {
    /// A field with a value that cannot be used.
    static func field(_ name: String, _ message: String, code: String? = nil) -> APIError {
        APIError(status: 400, "\(name): \(message)", code: code, parameter: name)
    }

    /// A field that would change the answer, and that this server does not know or cannot follow.
    static func unsupported(_ name: String, _ reason: String) -> APIError {
        APIError(status: 400, "\(name): \(reason)", code: "unsupported_parameter", parameter: name)
    }

    static func notJSON(_ reason: String) -> APIError {
        APIError(status: 400, "The body is \(reason)", code: "invalid_json")
    }

    static let noKey = APIError(
        status: 401, "This needs an API key: send it as \"Authorization: Bearer KEY\" or \"x-api-key: KEY\".",
        type: "authentication_error", code: "missing_api_key")

    static let wrongKey = APIError(
        status: 401, "The API key is not one of this server's.", type: "authentication_error", code: "invalid_api_key")

    static func model(_ name: String, served: [String]) -> APIError {
        APIError(
            status: 404,
            "The model \(quoted(name)) is not served here; there is \(served.map(quoted).joined(separator: ", ")).",
            code: "model_not_found", parameter: "model")
    }

    static func route(_ path: String) -> APIError {
        APIError(
            status: 404, "There is no \(quoted(path)) here; /openapi.json lists what there is.", code: "unknown_url")
    }

    static func method(_ method: String, _ path: String, allowed: [String]) -> APIError {
        let list = allowed.joined(separator: ", ")
        return APIError(
            status: 405, "\(quoted(path)) does not take \(quoted(method)); it takes \(list).",
            code: "method_not_allowed", allow: list)
    }

    /// A name from outside, short enough for a message.
    static func quoted(_ text: String) -> String {
        let short = text.prefix(100)
        return "\"\(short)\(short.endIndex < text.endIndex ? "…" : "")\""
    }
}
