#if Server
    import Logging
    import Synchronization

    /// One request on its way: what is counted and logged of it in the end, once. Neither its path nor its headers are logged as
    /// they came, for there may be keys in them.
    final class Call: Sendable {
        /// What the request is called, for clients that ask about it.
        let id = "req_" + AnswerIdentity(created: 0).id
        let arrival = ContinuousClock.now
        let method: String
        let route: Route?
        let style: WireStyle
        private let counts: ServerCounts
        private let logger: Logger
        private let state = Mutex((isDone: false, isStreaming: false, isClientGone: false, tokens: Usage()))

        init(_ head: RequestHead, _ responder: Responder) {
            method = head.method
            route = Route.find(head.path)?.route
            style = Route.style(of: head.path)
            (counts, logger) = (responder.counts, responder.logger)
        }

        var name: String { "\(method.prefix(10)) \(route?.rawValue ?? "(no route)")" }

        /// Whether the answer is counted at its end rather than at its beginning.
        var isStreaming: Bool {
            get { state.withLock { $0.isStreaming } }
            set { state.withLock { $0.isStreaming = newValue } }
        }

        var isClientGone: Bool {
            get { state.withLock { $0.isClientGone } }
            set { state.withLock { $0.isClientGone = newValue } }
        }

        func finished(_ usage: Usage) { state.withLock { $0.tokens = usage } }

        func done(status: Int) {
            let tokens: Usage? = state.withLock {
                if $0.isDone { return nil }
                $0.isDone = true
                return $0.tokens
            }
            guard let tokens else { return }
            let seconds = arrival.duration(to: .now).inSeconds
            counts.answered(route, status: status, seconds: seconds)
            let words = tokens == Usage() ? "" : ", \(tokens.prompt) + \(tokens.completion) tokens"
            logger.log(
                level: status >= 500 ? .warning : .info,
                "\(name) \(status), \(Int((seconds * 1000).rounded())) ms\(words)")
        }
    }
#endif
