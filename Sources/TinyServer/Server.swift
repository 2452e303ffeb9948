#if Server
    import Hummingbird
    import HummingbirdCore
    public import Logging
    import NIOCore
    import NIOPosix
    import ServiceLifecycle
    import Synchronization
    import TinyJSON
    public import TinyModels
    public import TinyRunner
    import UnixSignals

    /// A model on HTTP, for the clients of OpenAI's and Anthropic's APIs, and with a page for people.
    ///
    /// ```swift
    /// var options = ServerOptions()
    /// options.port = 0
    /// let server = try Server(Model(at: path), options)
    /// try await server.run { print("http://\($0.host):\($0.port)") }
    /// ```
    public struct Server: Sendable {
        /// Where a server listens.
        public struct Address: Sendable {
            public let host: String
            public let port: Int

            /// As a browser takes it.
            public var url: String {
                let name = HostName.isWildcard(host) ? "127.0.0.1" : host
                return "http://\(name.contains(":") ? "[\(name)]" : name):\(port)"
            }
        }

        public let options: ServerOptions
        private let engine: Engine
        private let model: ServedModel
        private let logger: Logger

        /// - Parameters:
        ///   - name: what clients call the model; the name of its file, if nil.
        ///   - logger: told of every request, without its text, and of what goes wrong; one to standard error, if nil.
        /// - Throws: `ServerError` for options that make no sense or leave it open to everybody, `EngineError.noRoom` with the
        ///   numbers if memory has no room, and why there is no tokenizer.
        public init(
            _ model: Model, _ options: ServerOptions = ServerOptions(), name: String? = nil, logger: Logger? = nil
        )
            throws
        {
            try options.check()
            self.options = options
            engine = try Engine(model, options.engine)
            self.model = try ServedModel(
                model, name: name, aliases: options.aliases, context: engine.plan.context, created: WallClock.seconds)
            self.logger =
                logger ?? Logger(label: "tinygpt") { StreamLogHandler.standardError(label: $0) }
        }

        /// What clients call the model.
        public var modelName: String { model.name }
        /// What it takes of the machine.
        public var plan: Engine.Plan { engine.plan }

        /// Serves until the process is asked to end (SIGTERM, SIGINT) or the task is cancelled. Requests that are under way then
        /// may go on for `options.grace`; new ones get a 503.
        ///
        /// - Parameter onReady: told where it listens, once it does.
        /// - Throws: `ServerError.cannotListen`.
        public func run(onReady: @escaping @Sendable (Address) -> Void = { _ in }) async throws {
            // Each connection is a file, and the rest of the process wants some too.
            let spare = 64
            let files = FileLimit.raise(to: options.limits.connections + spare)
            let connections = max(1, min(options.limits.connections, files - spare))
            let isReady = Mutex(false)
            // Of connections that come and go there is nothing to tell.
            var quiet = logger
            quiet.logLevel = .error
            let application = Application(
                responder: Responder(model, engine, options, logger), server: .http1(configuration: channel),
                configuration: ApplicationConfiguration(
                    address: .hostname(options.host, port: options.port), backlog: 1024,
                    availableConnectionsDelegate: MaximumAvailableConnections(connections, logger: quiet)
                ),
                onServerRunning: { channel in
                    isReady.withLock { $0 = true }
                    onReady(Address(host: options.host, port: channel.localAddress?.port ?? options.port))
                },
                logger: quiet)
            // Asked to end, the last service ends first: the engine's work, while new requests still hear why not.
            var configuration = ServiceGroupConfiguration(
                services: [.init(service: application), .init(service: Drain(engine: engine, grace: options.grace))],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
            configuration.maximumGracefulShutdownDuration = options.grace + .seconds(15)
            do {
                try await ServiceGroup(configuration: configuration).run()
            } catch let error where !isReady.withLock({ $0 }) {
                throw ServerError.cannotListen(host: options.host, port: options.port, reason: "\(error)")
            } catch is CancellationError {}
            engine.stop()
        }

        private var channel: HTTP1Channel.Configuration {
            let limits = options.limits
            return HTTP1Channel.Configuration(
                additionalChannelHandlers: [ConnectionGuard(limits)],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes,
                    maxHeaderFieldCount: 100))
        }

        /// Ends the engine's work when the process is asked to end.
        private struct Drain: Service {
            let engine: Engine
            let grace: Duration

            func run() async throws {
                try await gracefulShutdown()
                let engine = engine
                let patience = Task {
                    try await Task.sleep(for: grace)
                    engine.stop()
                }
                await engine.drain()
                patience.cancel()
            }
        }
    }
#endif
