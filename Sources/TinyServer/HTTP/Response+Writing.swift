#if Server
    import HTTPTypes
    import Hummingbird
    import NIOCore
    import TinyJSON

    extension Response {
        static func json(_ value: JSON, status: Int = 200) -> Response {
            var bytes: [UInt8] = []
            value.write(to: &bytes)
            return whole(bytes, "application/json", status: status)
        }

        static func text(_ text: String, _ type: String) -> Response { whole(Array(text.utf8), type, status: 200) }

        private static func whole(_ bytes: [UInt8], _ type: String, status: Int) -> Response {
            Response(
                status: HTTPResponse.Status(code: status),
                headers: [.contentType: type, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }

        static func error(_ error: APIError, _ style: WireStyle, requestID: String) -> Response {
            var response = json(error.body(style, requestID: requestID), status: error.status)
            if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
            if let methods = error.allow { response.headers[.allow] = methods }
            if error.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
            // What is left of the request is not worth reading.
            if [408, 413].contains(error.status) { response.headers[.connection] = "close" }
            return response
        }

        /// An answer that comes in parts.
        static func events(
            _ write: @escaping @Sendable (_ send: ([ServerSentEvent]) async throws -> Void) async throws -> Void
        ) -> Response {
            var response = Response(
                status: .ok,
                headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache, no-store"],
                body: ResponseBody { writer in
                    try await write { events in
                        if events.isEmpty { return }
                        try await writer.write(ByteBuffer(bytes: events.flatMap(\.bytes)))
                    }
                    try await writer.finish(nil)
                })
            // Proxies that gather what they pass on would undo the streaming.
            if let name = HTTPField.Name("X-Accel-Buffering") { response.headers[name] = "no" }
            return response
        }

        /// With what lets another site's page read it.
        func readable(by origin: String?) -> Response {
            guard let origin else { return self }
            var response = self
            if let name = HTTPField.Name("Access-Control-Allow-Origin") { response.headers[name] = origin }
            if let name = HTTPField.Name("Access-Control-Expose-Headers") {
                response.headers[name] = "x-request-id, request-id, retry-after"
            }
            response.headers[.vary] = "Origin"
            return response
        }

        /// - Parameter headers: what the page wants to send, which is for the site to know that was let in.
        static func preflight(_ origin: String, headers: String?) -> Response {
            var response = Response(status: .noContent).readable(by: origin)
            for (name, value) in [
                ("Access-Control-Allow-Methods", "GET, POST"),
                ("Access-Control-Allow-Headers", headers ?? "authorization, content-type, x-api-key"),
                ("Access-Control-Max-Age", "600"), ("Access-Control-Allow-Private-Network", "true"),
            ] {
                if let name = HTTPField.Name(name) { response.headers[name] = value }
            }
            return response
        }

        /// What the request is called, in OpenAI's header and in Anthropic's: clients show it with an error.
        mutating func name(_ request: String) {
            for header in ["x-request-id", "request-id"] {
                if let name = HTTPField.Name(header) { headers[name] = request }
            }
        }

        /// The same without its body, for HEAD.
        var headOnly: Response { Response(status: status, headers: headers, body: ResponseBody()) }
    }
#endif
