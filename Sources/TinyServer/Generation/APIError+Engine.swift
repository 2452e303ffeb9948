import TinyRunner

extension APIError {
    /// What went wrong in the library, as a client is told it. What a client cannot have caused is told without details.
    ///
    /// - Parameter parameter: the field whose value it is about, if it is about the text.
    init(_ error: any Error, parameter: String? = nil) {
        switch error {
        case let error as APIError: self = error
        case let error as EngineError: self.init(error, parameter: parameter)
        case let error as RunnerError: self.init(error, parameter: parameter)
        // The file is the server's business.
        case let error as ChatTemplateError:
            self.init(
                status: 400, "The model's chat template refuses this conversation: \(error.error).",
                code: "template_error", parameter: parameter)
        case is CancellationError: self = .stopped
        default: self = .internalError
        }
    }

    private init(_ error: EngineError, parameter: String?) {
        let text = Self.sentence("\(error)")
        switch error {
        case .queueFull:
            self.init(status: 429, text, type: "rate_limit_error", code: "queue_full", retryAfter: 2)
        case .promptTooLong:
            self.init(status: 400, text, code: "context_length_exceeded", parameter: parameter)
        case .timeLimit(_, let isWaiting):
            self.init(
                status: isWaiting ? 503 : 408, text, type: "timeout_error",
                code: isWaiting ? "queue_timeout" : "request_timeout", retryAfter: isWaiting ? 5 : nil)
        case .draining:
            self.init(status: 503, text, type: "server_error", code: "shutting_down", retryAfter: 5)
        case .noRoom: self.init(status: 503, text, type: "server_error", code: "no_memory", retryAfter: 5)
        }
    }

    private init(_ error: RunnerError, parameter: String?) {
        switch error {
        case .badConversation, .contextFull, .contextTooLong, .noTokens, .tokenOutOfRange, .badParameter, .seesAhead:
            self.init(status: 400, Self.sentence("\(error)"), code: "invalid_value", parameter: parameter)
        case .notANumber:
            self.init(
                status: 500, "The model's numbers overflow on this text; it cannot go on.", type: "server_error",
                code: "not_a_number")
        default: self = .internalError
        }
    }

    static let internalError = APIError(
        status: 500, "Something went wrong here, not with the request; the server's log says what.",
        type: "server_error", code: "internal_error")

    /// Work that was under way when the server had to end.
    static let stopped = APIError(
        status: 503, "The server is being shut down, and the request was not done in time.", type: "server_error",
        code: "shutting_down", retryAfter: 5)

    private static func sentence(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
    }
}
