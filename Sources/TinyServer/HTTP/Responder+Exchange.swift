#if Server
    import Hummingbird
    import Logging
    import NIOCore
    import TinyJSON
    import TinyRunner
    import TinyTokenizer

    extension Responder {
        /// Has the texts of a request continued, and answers with them, whole or as they come.
        func run<E: Exchange>(_ exchange: E, _ context: Context, _ call: Call) async throws -> Response {
            var exchange = exchange
            try model.check(exchange.model)
            let requests = try exchange.requests(to: model)
            if options.logsPrompts {
                for request in requests {
                    // As JSON, so that no prompt looks like another line of the log.
                    let text = (try? model.tokenizer.decode(request.prompt)) ?? ""
                    logger.info("\(call.name) prompt: \(JSON.string(text).written)")
                }
            }
            let connection = try await connection(context)
            let work = Work(
                engine: engine, requests: requests, connection: connection,
                deadline: call.arrival + options.requestTimeout)
            do {
                let events = try work.events()
                if exchange.streams { return stream(exchange, events, connection, call) }
                return try await whole(exchange, events, requests.count, connection, call)
            } catch {
                call.isClientGone = connection.isGone
                if error is CancellationError { throw error }
                if APIError(error) == .internalError { throw error }  // which the log is to tell whole
                throw APIError(error, parameter: E.promptField)
            }
        }

        private func whole<E: Exchange>(
            _ exchange: E, _ events: Work.Events, _ count: Int, _ connection: Connection, _ call: Call
        ) async throws -> Response {
            var times = TokenTimes(since: call.arrival, counts)
            var completions: [Completion?] = Array(repeating: nil, count: count)
            for try await (choice, event) in events {
                times.saw(event, choice: choice)
                if case .finished(let completion) = event { completions[choice] = completion }
            }
            let finished = completions.compactMap(\.self)
            guard finished.count == count else { throw CancellationError() }
            call.finished(Usage(finished))
            return .json(
                exchange.answer(finished, of: model, AnswerIdentity(created: WallClock.seconds)))
        }

        private func stream<E: Exchange>(
            _ exchange: E, _ events: Work.Events, _ connection: Connection, _ call: Call
        ) -> Response {
            call.isStreaming = true
            return .events { [self] send in
                var exchange = exchange
                var times = TokenTimes(since: call.arrival, counts)
                var usage = Usage()
                let identity = AnswerIdentity(created: WallClock.seconds)
                do {
                    try await send(exchange.opening(of: model, identity))
                    for try await (choice, event) in events {
                        times.saw(event, choice: choice)
                        if case .finished(let completion) = event { usage.add(completion) }
                        try await send(exchange.events(for: event, choice: choice, of: model, identity))
                    }
                    // A stream whose reader is cancelled just ends.
                    try Task.checkCancellation()
                    try await send(exchange.closing(of: model, identity))
                    call.finished(usage)
                    call.done(status: 200)
                } catch {
                    call.finished(usage)
                    if connection.isGone {
                        call.done(status: 499)
                        throw error
                    }
                    let answer = APIError(error, parameter: E.promptField)
                    if answer == .internalError { logger.error("\(call.name) failed: \(error)") }
                    call.done(status: answer.status)
                    try await send(exchange.failure(answer))
                }
            }
        }

        /// What knows whether the client is still there.
        private func connection(_ context: Context) async throws -> Connection {
            let channel = context.channel
            let found = channel.eventLoop.submit {
                try channel.pipeline.syncOperations.handler(type: ConnectionGuard.self).connection
            }
            do { return try await found.get() } catch {
                // The pipeline of a closed connection is empty.
                throw CancellationError()
            }
        }
    }
#endif
