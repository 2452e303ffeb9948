public import TinyRunner

/// How a server is reached, by whom, and how much it takes on.
public struct ServerOptions: Sendable {
    /// The address to listen at. One that other machines reach needs keys, or `isInsecure`.
    public var host = "127.0.0.1"
    /// 0 takes a free one.
    public var port = 8080
    /// Who sends none of these gets no answers; nil for no keys.
    public var keys: APIKeys?
    /// Whether everybody who reaches it may use it.
    public var isInsecure = false
    /// What else the model is called in requests.
    public var aliases: [String] = []
    /// Sites whose pages may use it, as `https://example.org`; `*` for all.
    public var allowedOrigins: [String] = []
    /// What else the machine is called.
    public var allowedHosts: [String] = []
    /// How long a request may take in all, waiting included.
    public var requestTimeout = Duration.seconds(600)
    /// How long requests that are under way may go on once the server is asked to end.
    public var grace = Duration.seconds(30)
    /// Whether prompts are written to the log.
    public var logsPrompts = false
    public var limits = Limits()
    public var engine = Engine.Options()

    /// What a client may make the server hold, and how long it may take to ask.
    public struct Limits: Sendable {
        /// Connections at a time; others wait to be accepted.
        public var connections = 1024
        /// Bytes of all header fields.
        public var headerBytes = 32 * 1024
        /// Bytes of a body.
        public var bodyBytes = 8 << 20
        /// Bytes of all bodies that are being received.
        public var bodyBytesInAll = 128 << 20
        /// From the first connection to the end of the first request's head, from there to the end of its body, between two
        /// requests, and until a client takes what it was sent.
        public var headSeconds = 15
        public var bodySeconds = 60
        public var idleSeconds = 75
        public var sendSeconds = 30
        /// A pass through the model that takes longer makes `/health` say so.
        public var stuckSeconds = 120

        public init() {}
    }

    public init() {}

    /// - Throws: `ServerError` for what makes no sense, or is open to everybody without being meant to.
    public func check() throws(ServerError) {
        guard 0...65535 ~= port else { throw .badOption("port", "\(port)", "a number from 0 to 65535") }
        if host.isEmpty { throw .badOption("host", "empty", "an address, such as 127.0.0.1") }
        guard requestTimeout > .zero else {
            throw .badOption("request-timeout", "\(requestTimeout)", "more than 0 seconds")
        }
        if keys == nil && !isInsecure && !HostName.isLoopback(host) { throw .openToEverybody(host: host) }
        for origin in allowedOrigins where origin != "*" {
            let isOrigin = ["http://", "https://"].contains { scheme in
                origin.hasPrefix(scheme) && HostName.name(String(origin.dropFirst(scheme.count))) != nil
            }
            if !isOrigin { throw .badOption("allow-origin", origin, "a site, such as https://example.org") }
        }
        for name in allowedHosts where HostName.name(name) == nil {
            throw .badOption("allowed-host", name, "a name, such as box.local")
        }
    }
}

/// Why a server does not start.
public enum ServerError: Error, Equatable, CustomStringConvertible {
    case badOption(_ name: String, _ value: String, _ expected: String)
    case badKeys(source: String, reason: String)
    /// An address that other machines reach, and nothing that keeps them out.
    case openToEverybody(host: String)
    case cannotListen(host: String, port: Int, reason: String)

    public var description: String {
        switch self {
        case .badOption(let name, let value, let expected): "\(name) is \(value); \(expected) is expected"
        case .badKeys(let source, let reason): "\(source): \(reason)"
        case .openToEverybody(let host):
            "other machines reach \(host), and anybody there could use this server: give --api-key-file, set "
                + "TINYGPT_API_KEY, or say --insecure if that is meant"
        case .cannotListen(let host, let port, let reason): "cannot listen at \(host), port \(port): \(reason)"
        }
    }
}
