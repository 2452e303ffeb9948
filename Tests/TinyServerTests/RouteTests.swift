import Testing

@testable import TinyServer

@Suite struct RouteTests {
    private func error(_ method: String, _ target: String) -> APIError? {
        do throws(APIError) {
            _ = try Route.find(RequestHead(method: method, target: target))
            return nil
        } catch { return error }
    }

    @Test func everyRouteIsFound() {
        for route in Route.allCases where route != .model {
            for method in route.methods { #expect(error(method, route.rawValue) == nil) }
            #expect(error(route.methods[0], route.rawValue + "?a=b") == nil)
            #expect(error("DELETE", route.rawValue)?.status == 405)
            #expect(error("DELETE", route.rawValue)?.allow == route.methods.joined(separator: ", "))
        }
        #expect(Route.find("/v1/models/a%2Fb%20c")?.argument == "a/b c")
    }

    @Test(arguments: [
        "//", "/v1", "/v1/", "/v1/models/", "/v1//models", "/V1/models", "/v1/%6dodels", "/v1/models/%",
        "/v1/models/%zz",
        "/v1/models/%+5", "/v1/models/%ff", "", "*", "/v1/chat/completions/",
    ])
    func otherPathsAreNot(_ path: String) { #expect(error("GET", path)?.status == 404) }

    @Test func bodiesAreJSON() throws {
        var head = RequestHead(method: "POST", target: "/tokenize")
        func status() -> Int? {
            do throws(APIError) {
                try Route.tokenize.checkBody(head)
                return nil
            } catch { return error.status }
        }
        for type in ["application/json", "Application/JSON; charset=utf-8", "application/json ;x"] {
            head.contentType = type
            #expect(status() == nil, "\(type)")
        }
        for type in [nil, "", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"] {
            head.contentType = type
            #expect(status() == 415, "\(type ?? "none")")
        }
        head.contentType = "application/json"
        head.contentEncoding = "gzip"
        #expect(status() == 415)
    }

    @Test func errorsSpeakTheRoutesLanguage() {
        #expect(Route.style(of: "/v1/messages") == .anthropic)
        #expect(Route.style(of: "/v1/messages/count_tokens") == .anthropic)
        #expect(Route.style(of: "/v1/chat/completions") == .openAI)
    }
}
