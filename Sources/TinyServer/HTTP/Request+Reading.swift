#if Server
    import HTTPTypes
    import Hummingbird
    import NIOCore

    extension RequestHead {
        init(_ request: Request) {
            self.init(method: request.method.rawValue, target: request.head.path ?? "", host: request.head.authority)
            let headers = request.headers
            func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
            authorization = header("Authorization")
            apiKey = header("x-api-key")
            origin = header("Origin")
            contentType = header("Content-Type")
            contentEncoding = header("Content-Encoding")
            requestedMethod = header("Access-Control-Request-Method")
            requestedHeaders = header("Access-Control-Request-Headers")
        }
    }

    extension Request {
        /// The whole body.
        ///
        /// - Throws: 413 for one that is too long, 503 while those of others fill the memory for bodies.
        func body(_ limits: ServerOptions.Limits, _ budget: BodyBudget) async throws -> [UInt8] {
            let tooLong = APIError(
                status: 413, "The body is longer than the \(limits.bodyBytes) bytes that are read here.",
                code: "body_too_large")
            if let length = headers[.contentLength].flatMap({ Int($0) }), length > limits.bodyBytes { throw tooLong }
            var bytes: [UInt8] = []
            var taken = 0
            defer { budget.give(taken) }
            for try await buffer in body {
                let count = buffer.readableBytes
                guard bytes.count + count <= limits.bodyBytes else { throw tooLong }
                guard budget.take(count) else {
                    throw APIError(
                        status: 503, "Too many long requests are being received; try again.", type: "server_error",
                        code: "overloaded", retryAfter: 2)
                }
                taken += count
                bytes += buffer.readableBytesView
            }
            return bytes
        }
    }
#endif
