/// What the server answers to.
enum Route: String, CaseIterable, Sendable {
    case page = "/"
    case health = "/health"
    case metrics = "/metrics"
    case openAPI = "/openapi.json"
    case models = "/v1/models"
    case model = "/v1/models/{model}"
    case chat = "/v1/chat/completions"
    case completions = "/v1/completions"
    case responses = "/v1/responses"
    case messages = "/v1/messages"
    case countTokens = "/v1/messages/count_tokens"
    case tokenize = "/tokenize"
    case detokenize = "/detokenize"

    var methods: [String] {
        switch self {
        case .page, .health, .metrics, .openAPI, .models, .model: ["GET", "HEAD"]
        case .chat, .completions, .responses, .messages, .countTokens, .tokenize, .detokenize: ["POST"]
        }
    }

    /// Whose errors the route gives.
    var style: WireStyle { self == .messages || self == .countTokens ? .anthropic : .openAI }

    /// Errors of paths that are no route have the shape of those nearby.
    static func style(of path: String) -> WireStyle { path.hasPrefix("/v1/messages") ? .anthropic : .openAI }

    private static let byPath = Dictionary(
        uniqueKeysWithValues: allCases.filter { $0 != .model }.map { ($0.rawValue, $0) })
    private static let modelPrefix = "/v1/models/"

    /// A route and what stands for `{model}` in its path. Paths are compared as they are written: what is spelt in another way
    /// is not there.
    static func find(_ path: String) -> (route: Route, argument: String?)? {
        if let route = byPath[path] { return (route, nil) }
        if path.hasPrefix(modelPrefix), let name = decoded(path.dropFirst(modelPrefix.count)), !name.isEmpty {
            return (.model, name)
        }
        return nil
    }

    /// - Throws: 404, 405.
    static func find(_ head: RequestHead) throws(APIError) -> (route: Route, argument: String?) {
        guard let found = find(head.path) else { throw .route(head.path) }
        guard found.route.methods.contains(head.method) else {
            throw .method(head.method, head.path, allowed: found.route.methods)
        }
        return found
    }

    /// - Throws: 415 for a body that is not JSON as it stands.
    func checkBody(_ head: RequestHead) throws(APIError) {
        guard methods.contains("POST") else { return }
        let type = head.contentType?.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        guard type == "application/json" else {
            throw APIError(
                status: 415,
                "The body is \(head.contentType.map(APIError.quoted) ?? "of no type"); \"Content-Type: application/json\" is expected.",
                code: "unsupported_media_type")
        }
        if let encoding = head.contentEncoding, encoding.lowercased() != "identity" {
            throw APIError(
                status: 415, "The body is compressed (\(APIError.quoted(encoding))); send it as it is.",
                code: "unsupported_media_type")
        }
    }

    /// `%2F` and the like as what they stand for; nil if that is no text.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, !digits.hasPrefix("+"), let value = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
