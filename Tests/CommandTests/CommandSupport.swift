import Foundation
import Testing
import TinyTestSupport

/// What a run of the built `tinygpt` printed and returned.
struct CommandResult {
    let output: Data
    let error: String
    let code: Int32
    let seconds: Double

    var text: String { String(decoding: output, as: UTF8.self) }

    /// Standard output as the one JSON object it must be.
    func json() throws -> [String: Any] {
        #expect(text.hasSuffix("\n") && text.filter { $0 == "\n" }.count == 1, "one line: \(text)")
        return try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any], "\(text) \(error)")
    }
}

enum Command {
    /// The executable lies beside the tests' own.
    static let executable: URL = {
        #if os(Linux)
            let here = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        #else
            let here =
                Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL ?? Bundle.main.bundleURL
        #endif
        return here.deletingLastPathComponent().appendingPathComponent("tinygpt")
    }()

    /// - Parameters:
    ///   - input: standard input; nothing if nil.
    ///   - environment: changes; without a model, threads or instruction set unless given here.
    static func run(_ arguments: [String], input: String? = nil, environment: [String: String] = [:]) throws
        -> CommandResult
    {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("TINYGPT_") }
        variables.merge(environment) { $1 }
        process.environment = variables
        process.currentDirectoryURL = URL(fileURLWithPath: "/tmp")
        let (out, error, feed) = (Pipe(), Pipe(), Pipe())
        (process.standardOutput, process.standardError, process.standardInput) = (out, error, feed)
        let start = ContinuousClock.now
        try process.run()
        try feed.fileHandleForWriting.write(contentsOf: Data((input ?? "").utf8))
        try feed.fileHandleForWriting.close()
        // Errors are short, so reading one pipe after the other cannot block.
        let output = out.fileHandleForReading.readDataToEndOfFile()
        let message = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let duration = start.duration(to: .now).components
        return CommandResult(
            output: output, error: String(decoding: message, as: UTF8.self), code: process.terminationStatus,
            seconds: Double(duration.seconds) + Double(duration.attoseconds) * 1e-18)
    }

    static let llama = Fixtures.path("llama-default")
    static let gguf = Fixtures.path("llama-default/model.Q4_0.gguf")
    static let gpt2 = Fixtures.path("gpt2-default/model.gguf")
    /// Every checkpoint here has this little room.
    static let model = ["--model", llama, "--threads", "1"]
}
