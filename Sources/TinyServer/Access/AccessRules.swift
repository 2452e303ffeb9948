/// Who may ask for what: decided from a request's head alone, before it is known whether there is such a route.
struct AccessRules: Sendable {
    /// Nil if everybody may.
    let keys: APIKeys?
    /// What the server is called, in lower case.
    let hosts: Set<String>
    /// Whether it may be called by any address of the machine.
    let allowsAddresses: Bool
    /// Other sites whose pages may ask; `*` for all.
    let origins: Set<String>

    init(keys: APIKeys?, host: String, allowedHosts: [String] = [], allowedOrigins: [String] = []) {
        self.keys = keys
        hosts = Set(["localhost", "127.0.0.1", "::1", host.lowercased()] + allowedHosts.compactMap(HostName.name))
        allowsAddresses = HostName.isWildcard(host)
        origins = Set(allowedOrigins.map { $0 == "*" ? $0 : Self.normalized(origin: $0) ?? $0 })
    }

    /// What is answered without a key.
    static let publicPaths: Set<String> = ["/", "/health"]

    /// What becomes of a request.
    enum Decision: Equatable, Sendable {
        /// - Parameter origin: another site's page asks, and may read the answer.
        case allowed(origin: String?)
        /// A browser asks whether it may ask.
        case preflight(origin: String)
    }

    /// - Throws: 403 for a name or a site that is not known, 401 without a right key.
    func decide(_ head: RequestHead) throws(APIError) -> Decision {
        try checkHost(head)
        let origin = try checkOrigin(head)
        if head.method == "OPTIONS", head.requestedMethod != nil, let origin { return .preflight(origin: origin) }
        try checkKey(head)
        return .allowed(origin: origin)
    }

    /// A page of another site can have its name point at this machine, and would ask as if it were from here; but it asks for
    /// that name.
    private func checkHost(_ head: RequestHead) throws(APIError) {
        guard let host = head.host else {
            throw APIError(status: 400, "The request has no Host header.", code: "missing_host")
        }
        guard let name = HostName.name(host), hosts.contains(name) || (allowsAddresses && HostName.isAddress(name))
        else {
            throw APIError(
                status: 403,
                "This server is not known as \(APIError.quoted(host)); start it with --allowed-host to have it answer to that.",
                type: "permission_error", code: "host_not_allowed")
        }
    }

    /// - Returns: the other site, if the request comes from one.
    private func checkOrigin(_ head: RequestHead) throws(APIError) -> String? {
        guard let origin = head.origin else { return nil }
        if let host = head.host.flatMap(HostName.normalized), Self.authority(origin) == host { return nil }
        let normalized = Self.normalized(origin: origin) ?? origin
        guard origins.contains("*") || origins.contains(normalized) else {
            throw APIError(
                status: 403,
                "Pages of \(APIError.quoted(origin)) may not use this server; start it with --allow-origin to let them.",
                type: "permission_error", code: "origin_not_allowed")
        }
        return origin
    }

    private func checkKey(_ head: RequestHead) throws(APIError) {
        guard let keys else { return }
        let isPublic = Self.publicPaths.contains(head.path) && ["GET", "HEAD"].contains(head.method)
        if isPublic { return }
        let sent = head.keys
        if sent.isEmpty { throw .noKey }
        guard sent.contains(where: { keys.contains($0) }) else { throw .wrongKey }
    }

    private static func authority(_ origin: String) -> String? {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return HostName.normalized(String(origin.dropFirst(scheme.count)))
        }
        return nil
    }

    private static func normalized(origin: String) -> String? {
        guard let authority = authority(origin) else { return nil }
        return (origin.lowercased().hasPrefix("https") ? "https://" : "http://") + authority
    }
}
