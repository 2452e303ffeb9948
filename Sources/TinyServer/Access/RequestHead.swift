/// What a request says before its body, as far as it matters here. Header fields that were not sent are nil.
struct RequestHead: Sendable {
    var method: String
    /// As it was sent, with its query.
    var target: String
    /// The `Host` header.
    var host: String?
    var authorization: String?
    var apiKey: String?
    var origin: String?
    var contentType: String?
    var contentEncoding: String?
    /// The headers of a preflight request.
    var requestedMethod: String?
    var requestedHeaders: String?

    init(method: String, target: String, host: String? = nil) {
        (self.method, self.target, self.host) = (method, target, host)
    }

    /// The target without its query, not decoded: paths that are written in another way are other paths.
    var path: String { String(target.prefix { $0 != "?" && $0 != "#" }) }

    /// The keys that were sent, as `Authorization: Bearer KEY` or `x-api-key: KEY`.
    var keys: [String] {
        var keys: [String] = []
        if let authorization {
            let parts = authorization.split(separator: " ", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == "bearer" {
                keys.append(String(parts[1].drop { $0 == " " }))
            }
        }
        if let apiKey { keys.append(apiKey) }
        return keys
    }
}
