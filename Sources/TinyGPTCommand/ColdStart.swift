import ArgumentParser
import Foundation
import TinyGPT
import TinyRunner

/// How long it takes from starting a process to its first token.
struct ColdStart: Codable {
    /// From before the process was started until its token had been read.
    let first_token_seconds: BenchReport.Spread
    /// In it, opening the model.
    let load_seconds: BenchReport.Spread
    let prompt_tokens: Int
    /// How much of the model's files the system held in memory before any of this; null where it does not say.
    let cached_share: Double?

    /// - Returns: nil if `times` is 0.
    init?(
        path: String, precision: Precision, threads: Int, times: Int, context: Int?,
        cachedShare: Double?, onProgress: (Int) -> Void
    ) throws {
        if times == 0 { return nil }
        let tokens = max(1, min(16, context ?? 16))
        let runs = try (1...times).map { time in
            onProgress(time)
            return try Child.run([
                "first-token", "--model", path, "--precision", precision.rawValue, "--threads", "\(threads)", "--json",
                "--prompt-tokens", "\(tokens)",
            ])
        }
        first_token_seconds = BenchReport.Spread(runs.map(\.firstByteSeconds))
        load_seconds = BenchReport.Spread(
            try runs.map { try JSONDecoder().decode(FirstToken.Report.self, from: $0.output).load_seconds })
        prompt_tokens = tokens
        cached_share = cachedShare
    }

    var text: String {
        let state =
            cached_share.map {
                " (\(($0 * 100).fixed(0)) % of the file was in the system's cache before the first start)"
            }
            ?? ""
        return
            "first token \(first_token_seconds.median.fixed(3)) s after the start, behind \(prompt_tokens) tokens\(state)"
    }
}

/// What `bench` starts to see how long it takes. Not meant for people.
struct FirstToken: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "first-token", shouldDisplay: false)

    @OptionGroup var options: ModelOptions

    @Option var promptTokens = 16

    struct Report: Codable {
        let token: Int
        let load_seconds: Double
    }

    func validate() throws {
        if !(1...100_000).contains(promptTokens) { throw ValidationError("--prompt-tokens is \(promptTokens)") }
    }

    func run() throws {
        let (model, seconds) = try options.open()
        try Output.json(
            Report(token: try Benchmark(model: model).firstToken(behind: promptTokens), load_seconds: seconds))
    }
}

/// This program, run once more.
enum Child {
    struct Result {
        let output: Data
        /// From before the start to the first byte of output.
        let firstByteSeconds: Double
    }

    /// - Throws: what the child printed to standard error, if it failed.
    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        let process = Process()
        process.executableURL = try executable()
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        process.standardInput = FileHandle.nullDevice
        let start = ContinuousClock.now
        try process.run()
        let ending = EndingTogether(process)
        defer { ending.stop() }
        // Output is one line, and errors are few: neither fills a pipe while the other is read.
        var all = output.fileHandleForReading.availableData
        let seconds = start.duration(to: .now).inSeconds
        all += try output.fileHandleForReading.readToEnd() ?? Data()
        let message = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0, process.terminationReason == .exit else {
            var text = String(decoding: message, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
            throw Failure(
                "\(text.isEmpty ? "the process that was to measure ended early" : text) "
                    + "(tinygpt \(arguments.joined(separator: " ")))")
        }
        return Result(output: all, firstByteSeconds: seconds)
    }

    private static func executable() throws -> URL {
        if let url = Bundle.main.executableURL { return url }
        throw Failure("the system does not say where this program is, so it cannot be started anew")
    }
}

/// Where this process is asked to end, so does one that it started: that has a process group of its own, which Ctrl-C does not
/// reach.
private final class EndingTogether {
    private let sources: [(number: Int32, source: any DispatchSourceSignal)]

    init(_ child: Process) {
        let pid = child.processIdentifier
        sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number in
            // The source hears of it all the same. What was ignored before, as by `nohup`, goes on being so.
            let before = signal(number, SIG_IGN)
            if unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { return nil }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                kill(pid, SIGTERM)
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
            source.activate()
            return (number, source)
        }
    }

    func stop() {
        for (number, source) in sources {
            source.cancel()
            signal(number, SIG_DFL)
        }
    }
}

/// What the system holds of files.
enum FileCache {
    /// The part of a model's files that is in memory; nil where the system does not say.
    static func residentShare(of path: String) -> Double? {
        #if os(Linux)
            var (pages, resident) = (0, 0)
            for file in files(at: path) {
                let handle = open(file, O_RDONLY | O_CLOEXEC)
                if handle < 0 { continue }
                defer { close(handle) }
                var status = stat()
                guard fstat(handle, &status) == 0, status.st_size > 0 else { continue }
                let (length, page) = (Int(status.st_size), Int(sysconf(Int32(_SC_PAGESIZE))))
                guard let memory = mmap(nil, length, PROT_READ, MAP_SHARED, handle, 0), memory != MAP_FAILED else {
                    continue
                }
                defer { munmap(memory, length) }
                var map = [UInt8](repeating: 0, count: (length + page - 1) / page)
                guard mincore(memory, length, &map) == 0 else { continue }
                pages += map.count
                resident += map.count { $0 & 1 != 0 }
            }
            return pages > 0 ? Double(resident) / Double(pages) : nil
        #else
            return nil
        #endif
    }

    private static func files(at path: String) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return [path]
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".safetensors") }.map { path + "/" + $0 }
    }
}
