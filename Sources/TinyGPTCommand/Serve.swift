import ArgumentParser
import Foundation
import TinyGPT

#if Server
    import TinyServer
#endif

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a model over HTTP, to programs that speak OpenAI's or Anthropic's API, and to a browser.",
        discussion: """
            Programs that speak OpenAI's API take http://127.0.0.1:8080/v1 as its address, those that speak Anthropic's take \
            http://127.0.0.1:8080. A page to chat with is at http://127.0.0.1:8080/.

            Examples:
              tinygpt serve
              tinygpt serve --port 9000 --slots 8 --context 4096
              TINYGPT_API_KEY=secret tinygpt serve --host 0.0.0.0 --allowed-host box.local
            """)

    @Option(help: "The address to listen at. One that other machines reach needs a key, or --insecure.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one and prints it.")
    var port = 8080

    @Option(
        help: ArgumentHelp(
            "Texts continued at the same time; 4 if not given, or fewer, as memory allows.", valueName: "n"))
    var slots: Int?

    @Option(
        help: ArgumentHelp(
            "Tokens of each text; the model's limit, at most 8192, if not given, or less, as memory allows.",
            valueName: "n"))
    var context: Int?

    @Option(help: ArgumentHelp("Requests that may wait; more get a 429.", valueName: "n"))
    var queue = 64

    @Option(
        help: ArgumentHelp("A file with keys, one a line, of which a client must send one.", valueName: "path"))
    var apiKeyFile: String?

    @Flag(help: "Let everybody who reaches it use it, without a key.")
    var insecure = false

    @Option(help: ArgumentHelp("Another name of the model in requests; may be given several times.", valueName: "name"))
    var alias: [String] = []

    @Option(
        help: ArgumentHelp(
            "A site whose pages may use it, such as https://example.org, or *; may be given several times.",
            valueName: "origin"))
    var allowOrigin: [String] = []

    @Option(
        help: ArgumentHelp(
            "Another name of this machine that requests may be for; may be given several times.", valueName: "name"))
    var allowedHost: [String] = []

    @Option(help: ArgumentHelp("How long a request may take, waiting included.", valueName: "seconds"))
    var requestTimeout = 600.0

    @Flag(help: "Write prompts to the log.")
    var logPrompts = false

    @OptionGroup var options: ModelOptions

    func validate() throws {
        guard requestTimeout > 0, requestTimeout <= 1e9 else {
            throw ValidationError("--request-timeout is \(requestTimeout); a number above 0 is expected")
        }
        if queue < 0 { throw ValidationError("--queue is \(queue); a number from 0 on is expected") }
        guard (0...65535).contains(port) else {
            throw ValidationError("--port is \(port); a number from 0 to 65535 is expected")
        }
    }

    func run() throws {
        #if Server
            let serverOptions = try self.serverOptions()
            let (model, seconds) = try options.open()
            let server = try Server(model, serverOptions)
            if let limit = model.contextLimit, server.plan.context > limit {
                Output.error(
                    "warning: the context is \(server.plan.context) tokens, and the model was made for \(limit)\n")
            }
            let json = options.json
            try TaskRunner.wait(isInterruptible: false) {
                try await server.run { address in
                    // Whoever started it may have closed the pipe, which is no reason to end.
                    let ready = Ready(server, address)
                    try? json ? Output.json(ready) : Output.print(ready.text(seconds))
                }
            }
        #else
            throw Failure.serverIsNotBuilt
        #endif
    }
}

#if Server
    extension Serve {
        private func serverOptions() throws -> ServerOptions {
            var options = ServerOptions()
            (options.host, options.port, options.isInsecure) = (host, port, insecure)
            (options.aliases, options.allowedOrigins, options.allowedHosts) = (alias, allowOrigin, allowedHost)
            options.requestTimeout = .milliseconds(Int64(max(1, requestTimeout * 1000)))
            options.logsPrompts = logPrompts
            options.engine.slots = slots
            options.engine.context = context
            options.engine.queueLimit = queue
            options.keys = try keys()
            do { try options.check() } catch { throw ValidationError("\(error)") }
            return options
        }

        private func keys() throws -> APIKeys? {
            if let apiKeyFile { return try APIKeys(lines: InputBytes.text(apiKeyFile), source: apiKeyFile) }
            guard let value = ProcessInfo.processInfo.environment["TINYGPT_API_KEY"], !value.isEmpty else { return nil }
            return try APIKeys(lines: value, source: "TINYGPT_API_KEY")
        }
    }

    /// Where the server is to be found, and what it takes of the machine.
    private struct Ready: Encodable {
        let url: String
        let host: String
        let port: Int
        let model: String
        let slots: Int
        let context: Int
        let weightBytes: Int
        let cacheBytes: Int
        let activationBytes: Int
        let totalBytes: Int
        let limitBytes: Int

        enum CodingKeys: String, CodingKey {
            case url, host, port, model, slots, context
            case weightBytes = "weight_bytes"
            case cacheBytes = "cache_bytes"
            case activationBytes = "activation_bytes"
            case totalBytes = "total_bytes"
            case limitBytes = "limit_bytes"
        }

        init(_ server: Server, _ address: Server.Address) {
            let plan = server.plan
            (url, host, port, model) = (address.url, address.host, address.port, server.modelName)
            (slots, context) = (plan.slots, plan.context)
            (weightBytes, cacheBytes, activationBytes) = (plan.weightBytes, plan.cacheBytes, plan.activationBytes)
            (totalBytes, limitBytes) = (plan.totalBytes, plan.limitBytes)
        }

        func text(_ seconds: Double) -> String {
            func size(_ bytes: Int) -> String { "\((Double(bytes) / 1e6).fixed(bytes < 10_000_000 ? 1 : 0)) MB" }
            return """
                \(model) is served at \(url) (loaded in \(seconds.fixed(1)) s)
                \(slots) texts at a time, \(context) tokens each; memory: weights \(size(weightBytes)), cache \
                \(size(cacheBytes)) when full, activations \(size(activationBytes)); \(size(totalBytes)) of the \
                \(size(limitBytes)) there are

                """
        }
    }
#else
    extension Failure {
        /// The HTTP stack is fetched and built only where it is asked for.
        static let serverIsNotBuilt = Failure(
            "this tinygpt was built without its server; build it with\n"
                + "  swift build -c release --product tinygpt --traits Server\n"
                + "or have scripts/serve do that, fetch the default model and start it")
    }
#endif
