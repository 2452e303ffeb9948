import Testing

@testable import TinyServer

@Suite struct AccessTests {
    private func head(
        _ target: String = "/v1/models", _ method: String = "GET", host: String? = "localhost:8080", key: String? = nil
    ) -> RequestHead {
        var head = RequestHead(method: method, target: target, host: host)
        head.authorization = key.map { "Bearer \($0)" }
        return head
    }

    private func rules(
        keys: String? = nil, host: String = "127.0.0.1", hosts: [String] = [], origins: [String] = []
    ) throws -> AccessRules {
        AccessRules(
            keys: try keys.map { try APIKeys(lines: $0, source: "test") }, host: host, allowedHosts: hosts,
            allowedOrigins: origins)
    }

    private func status(_ rules: AccessRules, _ head: RequestHead) -> Int {
        do {
            _ = try rules.decide(head)
            return 200
        } catch { return error.status }
    }

    // MARK: Keys

    @Test func keysOpen() throws {
        let rules = try rules(keys: "# the first\n  one-key \r\n\ntwo\n")
        for key in ["one-key", "two"] { #expect(status(rules, head(key: key)) == 200) }
        for key in ["", "o", "one-ke", "one-keyy", "two\u{0}", "twotwo", "tw0", "# the first"] {
            #expect(status(rules, head(key: key)) == 401, "\(key)")
        }
        var other = head()
        other.apiKey = "two"
        #expect(status(rules, other) == 200)
        other.apiKey = nil
        for text in ["two", "Basic two", "Bearer", "bearer  two", "BEARER two"] {
            other.authorization = text
            #expect(status(rules, other) == (text.lowercased().hasPrefix("bearer ") ? 200 : 401), "\(text)")
        }
    }

    @Test(arguments: [
        "/v1/models", "//v1/models", "/v1/../v1/models", "/v1/%2e%2e/v1/models", "/%76%31/models", "/v1/models/",
        "/V1/MODELS", "/nowhere", "//", "/health/", "/HEALTH", "/%68ealth", "/health/../v1/models", "//health", "/.",
        "/index.html", "*", "", "http://localhost/health", "/metrics", "/openapi.json", "/health;a", "/health%3Fa",
    ])
    func oddPathsNeedAKey(_ path: String) throws {
        #expect(status(try rules(keys: "secret"), head(path)) == 401)
        #expect(status(try rules(keys: "secret"), head(path, key: "wrong")) == 401)
    }

    @Test func twoPlacesArePublic() throws {
        let rules = try rules(keys: "secret")
        for path in ["/", "/health", "/health?x=1", "/?a", "/#x"] {
            #expect(status(rules, head(path)) == 200, "\(path)")
            #expect(status(rules, head(path, "POST")) == 401, "\(path)")
            #expect(status(rules, head(path, "OPTIONS")) == 401, "\(path)")
        }
    }

    @Test func keysAreNotShown() throws {
        let keys = try APIKeys(lines: "very-secret", source: "test")
        var options = ServerOptions()
        options.keys = keys
        for text in ["\(keys)", String(reflecting: keys), "\(options)", String(describing: Mirror(reflecting: keys))] {
            #expect(!text.contains("secret"))
        }
        var dumped = ""
        dump(keys, to: &dumped)
        #expect(!dumped.contains("115"))  // "s" as a byte
    }

    @Test(arguments: ["", "\n\n", "# only words", "two words", "käse"])
    func badKeyFiles(_ text: String) {
        #expect(throws: ServerError.self) { try APIKeys(lines: text, source: "file") }
    }

    // MARK: Names

    @Test func namesAreClosedByDefault() throws {
        let plain = try rules()
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:9", "[::1]:8080", "localhost."] {
            #expect(status(plain, head(host: host)) == 200, "\(host)")
        }
        for host in [
            "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "localhost:80:80", "[::1",
            "192.168.0.7",
            "", " ", "localhost@evil.example", "evil.example#localhost",
        ] { #expect(status(plain, head(host: host)) == 403, "\(host)") }
        #expect(status(plain, head(host: nil)) == 400)
        #expect(status(try rules(hosts: ["Box.local"]), head(host: "box.LOCAL:1")) == 200)
        // A name server cannot point an address elsewhere.
        let open = try rules(host: "0.0.0.0")
        #expect(status(open, head(host: "192.168.0.7:8080")) == 200)
        #expect(status(open, head(host: "[fe80::1]:8080")) == 200)
        #expect(status(open, head(host: "evil.example")) == 403)
        #expect(status(open, head(host: "999.168.0.7")) == 403)
    }

    // MARK: Sites

    @Test func otherSitesAreClosedByDefault() throws {
        func asked(_ rules: AccessRules, _ origin: String, _ method: String = "POST") -> Int {
            var head = head("/v1/completions", method)
            head.origin = origin
            return status(rules, head)
        }
        let plain = try rules()
        #expect(asked(plain, "http://localhost:8080") == 200)
        for origin in [
            "http://localhost", "http://localhost:8081", "http://evil.example", "null", "", "file://", "localhost:8080",
            "http://localhost:8080.evil.example",
        ] {
            #expect(asked(plain, origin) == 403, "\(origin)")
        }
        let allowing = try rules(origins: ["https://good.example"])
        #expect(asked(allowing, "https://good.example") == 200)
        #expect(asked(allowing, "http://good.example") == 403)
        #expect(asked(allowing, "https://good.example.evil") == 403)
        #expect(asked(try rules(origins: ["*"]), "null") == 200)
    }

    @Test func preflightNeedsNoKeyButTheRightSite() throws {
        let rules = try rules(keys: "secret", origins: ["https://good.example"])
        var head = head("/v1/completions", "OPTIONS")
        head.requestedMethod = "POST"
        head.origin = "https://good.example"
        #expect(try rules.decide(head) == .preflight(origin: "https://good.example"))
        head.origin = "https://evil.example"
        #expect(status(rules, head) == 403)
        head.origin = nil
        #expect(status(rules, head) == 401)
    }

    // MARK: Options

    @Test func nobodyIsLetInByAccident() throws {
        var options = ServerOptions()
        for host in ["127.0.0.1", "localhost", "::1", "127.1.2.3"] {
            options.host = host
            #expect(throws: Never.self) { try options.check() }
        }
        for host in ["0.0.0.0", "::", "192.168.0.7", "box.local", "127.0.0.1.evil.example", "127.evil"] {
            options.host = host
            #expect(throws: ServerError.openToEverybody(host: host)) { try options.check() }
        }
        options.isInsecure = true
        #expect(throws: Never.self) { try options.check() }
        options.isInsecure = false
        options.keys = try APIKeys(lines: "k", source: "test")
        #expect(throws: Never.self) { try options.check() }
        options.port = 65536
        #expect(throws: ServerError.self) { try options.check() }
        options.port = 1
        options.allowedOrigins = ["good.example"]
        #expect(throws: ServerError.self) { try options.check() }
    }
}
