#if Server
    import HTTPTypes
    import Hummingbird
    import Logging
    import NIOCore
    import NIOHTTP1
    import TinyJSON
    import TinyRunner

    /// Answers requests: who may ask is decided first, then what for.
    struct Responder: HTTPResponder {
        struct Context: RequestContext {
            var coreContext: CoreRequestContextStorage
            let channel: any Channel

            init(source: ApplicationRequestContextSource) {
                coreContext = CoreRequestContextStorage(source: source)
                channel = source.channel
            }
        }

        let model: ServedModel
        let engine: Engine
        let options: ServerOptions
        let rules: AccessRules
        let counts = ServerCounts()
        let budget: BodyBudget
        let logger: Logger

        init(_ model: ServedModel, _ engine: Engine, _ options: ServerOptions, _ logger: Logger) {
            (self.model, self.engine, self.options, self.logger) = (model, engine, options, logger)
            rules = AccessRules(
                keys: options.keys, host: options.host, allowedHosts: options.allowedHosts,
                allowedOrigins: options.allowedOrigins)
            budget = BodyBudget(options.limits.bodyBytesInAll)
        }

        func respond(to request: Request, context: Context) async throws -> Response {
            let head = RequestHead(request)
            let call = Call(head, self)
            do {
                var response: Response
                switch try rules.decide(head) {
                case .preflight(let origin): response = .preflight(origin, headers: head.requestedHeaders)
                case .allowed(let origin):
                    response = try await allowed(request, head, context, call, origin: origin)
                }
                if !call.isStreaming { call.done(status: response.status.code) }
                response.name(call.id)
                return head.method == "HEAD" ? response.headOnly : response
            } catch let error as HTTPParserError {
                throw error
            } catch {
                var response = failed(error, call)
                response.name(call.id)
                return response
            }
        }

        /// - Parameter origin: another site whose page asks; it may read errors too.
        private func allowed(
            _ request: Request, _ head: RequestHead, _ context: Context, _ call: Call, origin: String?
        ) async throws -> Response {
            do {
                let (route, argument) = try Route.find(head)
                try route.checkBody(head)
                return try await answer(route, argument, request, context, call).readable(by: origin)
            } catch let error as HTTPParserError {
                throw error
            } catch {
                return failed(error, call).readable(by: origin)
            }
        }

        private func failed(_ error: any Error, _ call: Call) -> Response {
            let answer = APIError(error)
            if answer == .internalError { logger.error("\(call.name) failed: \(error)") }
            call.done(status: error is CancellationError && call.isClientGone ? 499 : answer.status)
            return .error(answer, call.style, requestID: call.id)
        }

        private func answer(
            _ route: Route, _ argument: String?, _ request: Request, _ context: Context, _ call: Call
        ) async throws -> Response {
            switch route {
            case .page: return page
            case .openAPI: return .json(OpenAPIDocument(model: model, needsKey: options.keys != nil).json)
            case .health: return health
            case .metrics:
                return .text(
                    counts.text(engine.status, engine.plan, residentBytes: ProcessMemory.residentBytes),
                    PrometheusText.contentType)
            case .models: return .json(OpenAI.models(model))
            case .model:
                try model.check(argument)
                return .json(OpenAI.model(model, named: argument ?? model.name))
            case .tokenize: return .json(try TokenizeQuestion(await fields(request)).answer(model))
            case .detokenize: return .json(try DetokenizeQuestion(await fields(request)).answer(model))
            case .chat: return try await run(ChatExchange(await fields(request)), context, call)
            case .completions: return try await run(CompletionExchange(await fields(request)), context, call)
            case .responses: return try await run(ResponsesExchange(await fields(request)), context, call)
            case .messages: return try await run(MessagesExchange(await fields(request)), context, call)
            case .countTokens:
                let question = try CountTokensQuestion(await fields(request))
                try model.check(question.model)
                return .json(try question.answer(model))
            }
        }

        private func fields(_ request: Request) async throws -> FieldReader {
            try FieldReader(body: await request.body(options.limits, budget))
        }

        private var page: Response {
            var response = Response.text(ChatPage.html, "text/html; charset=utf-8")
            for (name, value) in [
                ("Content-Security-Policy", ChatPage.contentSecurityPolicy), ("X-Content-Type-Options", "nosniff"),
                ("Referrer-Policy", "no-referrer"),
            ] {
                if let name = HTTPField.Name(name) { response.headers[name] = value }
            }
            return response
        }

        private var health: Response {
            let health = Health(engine.status, stuckSeconds: options.limits.stuckSeconds)
            var response = Response.json(health.body, status: health.status)
            if health.status != 200 { response.headers[.retryAfter] = "5" }
            return response
        }
    }
#endif
