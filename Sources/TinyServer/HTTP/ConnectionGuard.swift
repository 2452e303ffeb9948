#if Server
    import HTTPTypes
    import NIOCore
    import NIOHTTP1
    import NIOHTTPTypes

    /// Stands between a connection's HTTP and what answers it: notices when the client goes away, gives it only so long to ask
    /// and to take its answer, and says in the API's own words what is wrong with a request that is not HTTP.
    final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart
        typealias OutboundIn = HTTPResponsePart
        typealias OutboundOut = HTTPResponsePart

        /// After its answer a client may go on sending what nobody reads for so long.
        private static let lingerSeconds = 5
        /// How long a client that was refused may take to read why.
        private static let farewellSeconds = 2
        /// So much more than allowed is thrown away before the connection is cut.
        private static let excessBytes = 1 << 20

        private let limits: ServerOptions.Limits
        private(set) var connection = Connection()
        private var timer: Scheduled<Void>?
        private var sendTimer: Scheduled<Void>?
        private var isReadingRequest = false
        private var bodyBytes = 0
        /// Requests without an answer.
        private var pending = 0
        private var hasBegunAnswer = false
        private var closesAfterAnswer = false
        private var isClosing = false

        init(_ limits: ServerOptions.Limits) { self.limits = limits }

        // MARK: Coming and going

        func handlerAdded(context: ChannelHandlerContext) {
            if context.channel.isActive { begin(context) }
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            timer?.cancel()
            sendTimer?.cancel()
            connection.depart()
        }

        func channelActive(context: ChannelHandlerContext) {
            begin(context)
            context.fireChannelActive()
        }

        private func begin(_ context: ChannelHandlerContext) {
            connection = Connection(client: context.channel.remoteAddress?.ipAddress ?? "")
            wait(limits.headSeconds, context) { $0.refuse(.tooSlow, $1) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            connection.depart()
            context.fireChannelInactive()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            // A client that has sent its last byte is taken to be gone: most of them are.
            if case .inputClosed? = event as? ChannelEvent {
                connection.depart()
                if isClosing { close(context) }
            }
            context.fireUserInboundEventTriggered(event)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            switch error {
            case HTTPParserError.headerOverflow: refuse(.headTooLarge, context)
            case is HTTPParserError, is NIOHTTPDecoderError: refuse(.notHTTP, context)
            default:
                connection.depart()
                context.fireErrorCaught(error)
            }
        }

        // MARK: Requests

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if isClosing { return }
            switch unwrapInboundIn(data) {
            case .head:
                pending += 1
                isReadingRequest = true
                bodyBytes = 0
                wait(limits.bodySeconds, context) { $0.refuse(.tooSlow, $1) }
            case .body(let buffer):
                bodyBytes += buffer.readableBytes
                if bodyBytes > limits.bodyBytes + Self.excessBytes { return close(context) }
            case .end:
                isReadingRequest = false
                timer?.cancel()
            }
            context.fireChannelRead(data)
        }

        // MARK: Answers

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if isClosing {
                promise?.fail(ChannelError.ioOnClosedChannel)
                return
            }
            switch unwrapOutboundIn(data) {
            case .head(let head):
                hasBegunAnswer = true
                closesAfterAnswer = head.headerFields[.connection] == "close"
                context.write(data, promise: promise)
            case .body: context.write(data, promise: promise)
            case .end:
                pending -= 1
                hasBegunAnswer = false
                context.write(data, promise: promise)
                if isReadingRequest {
                    wait(Self.lingerSeconds, context) { $0.close($1) }
                } else if closesAfterAnswer {
                    context.flush()
                    close(context)
                } else if pending == 0 {
                    wait(limits.idleSeconds, context) { $0.close($1) }
                }
            }
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            sendTimer?.cancel()
            if !context.channel.isWritable {
                sendTimer = schedule(limits.sendSeconds, context) { $0.close($1) }
            }
            context.fireChannelWritabilityChanged()
        }

        // MARK: Ends

        /// Says what is wrong with what the client sent, unless it is being told something else, and ends the connection.
        private func refuse(_ error: APIError, _ context: ChannelHandlerContext) {
            if !hasBegunAnswer && !isClosing && pending <= 1 {
                var bytes: [UInt8] = []
                error.body(.openAI).write(to: &bytes)
                let head = HTTPResponse(
                    status: HTTPResponse.Status(code: error.status),
                    headerFields: [
                        .contentType: "application/json", .contentLength: "\(bytes.count)", .connection: "close",
                    ])
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(ByteBuffer(bytes: bytes))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                // What the client has sent and nobody has read would make the system throw away what was just written.
                isClosing = true
                connection.depart()
                context.close(mode: .output, promise: nil)
                return wait(Self.farewellSeconds, context) { $0.close($1) }
            }
            close(context)
        }

        private func close(_ context: ChannelHandlerContext) {
            isClosing = true
            timer?.cancel()
            connection.depart()
            context.close(promise: nil)
        }

        // MARK: Time

        private func wait(
            _ seconds: Int, _ context: ChannelHandlerContext,
            _ action: @escaping (ConnectionGuard, ChannelHandlerContext) -> Void
        ) {
            timer?.cancel()
            timer = schedule(seconds, context, action)
        }

        private func schedule(
            _ seconds: Int, _ context: ChannelHandlerContext,
            _ action: @escaping (ConnectionGuard, ChannelHandlerContext) -> Void
        ) -> Scheduled<Void> {
            context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Int64(seconds))) { action(self, context) }
        }
    }

    @available(*, unavailable)
    extension ConnectionGuard: Sendable {}

    extension APIError {
        fileprivate static let tooSlow = APIError(
            status: 408, "The request did not arrive in time.", code: "request_timeout")
        fileprivate static let notHTTP = APIError(status: 400, "The request is not valid HTTP.", code: "invalid_http")
        fileprivate static let headTooLarge = APIError(
            status: 431, "The request's header fields are too long, or too many.", code: "headers_too_large")
    }
#endif
