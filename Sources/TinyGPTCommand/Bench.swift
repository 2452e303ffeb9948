import ArgumentParser
import Foundation
import TinyGPT
import TinyRunner
import TinyTensor

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how fast a prompt is read and tokens are decoded.",
        discussion: """
            Each test is repeated, and the median, least and most are given. A warm-up is not counted. A test is marked \
            where the machine was too noisy to believe it: where repetitions differ widely, where a loop that always does \
            the same did not take the same time, or where the host or other processes took the cores.
            """)

    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("Lengths of the prompts that are read: 512 or 128,512; 0 for none.", valueName: "n,…"))
    var promptTokens = NumberList([512])

    @Option(help: ArgumentHelp("Tokens that are decoded; 0 for none.", valueName: "n,…"))
    var generateTokens = NumberList([128])

    @Option(
        help: ArgumentHelp(
            "Tokens that are in the context when decoding begins: 0 (behind a first token) or 0,1024.", valueName: "n,…"
        ))
    var depths = NumberList([0])

    @Option(
        help: ArgumentHelp(
            "Texts that are decoded at once, as `serve` does it, and the speed of all together: 8 or 1,2,4,8; 0 for none.",
            valueName: "n,…"))
    var streams = NumberList([0])

    @Option(help: ArgumentHelp("How often each test is repeated.", valueName: "n"))
    var repetitions = 5

    @Option(
        help: ArgumentHelp(
            "How often a new process is started, to see how long it takes to its first token.", valueName: "n"))
    var coldStarts = 3

    @Option(help: "Measure with 1, 2, 4… threads, or with each instruction set, each time in a new process.")
    var sweep: Sweep?

    @Flag(help: "Print a table in Markdown.")
    var markdown = false

    enum Sweep: String, ExpressibleByArgument, CaseIterable {
        case threads, isa
    }

    func validate() throws {
        for (name, list) in [("prompt-tokens", promptTokens), ("generate-tokens", generateTokens), ("depths", depths)] {
            for value in list.numbers where !(0...10_000_000).contains(value) {
                throw ValidationError("--\(name) has \(value); numbers from 0 to 10000000 are expected")
            }
        }
        for (name, value, least) in [("repetitions", repetitions, 1), ("cold-starts", coldStarts, 0)]
        where !(least...1000).contains(value) {
            throw ValidationError("--\(name) is \(value); a number from \(least) to 1000 is expected")
        }
        for value in streams.numbers where !(0...1024).contains(value) {
            throw ValidationError("--streams has \(value); numbers from 0 to 1024 are expected")
        }
        if markdown && options.json { throw ValidationError("give --json or --markdown, not both") }
        if sweep == .threads && options.threads != nil {
            throw ValidationError("--sweep threads chooses the threads: leave --threads out")
        }
    }

    func run() throws {
        let report = try sweep.map(swept) ?? measured()
        if options.json { return try Output.json(report) }
        try Output.print(markdown ? report.markdown : report.table)
    }

    private func measured() throws -> BenchReport {
        let path = try options.path()
        let cachedShare = FileCache.residentShare(of: path)
        let (model, loadSeconds) = try options.open()
        let benchmark = Benchmark(model: model)
        // Before anything is measured, which would be lost.
        for tokens in promptTokens.numbers { try benchmark.checkFits(tokens) }
        for tokens in generateTokens.numbers where tokens > 0 {
            for depth in depths.numbers { try benchmark.checkFits(tokens + max(1, depth)) }
        }
        let progress = Progress()
        var results: [BenchReport.Result] = []
        for tokens in promptTokens.numbers where tokens > 0 {
            progress.show("Reading prompts of \(tokens) tokens…")
            let found = try benchmark.prompt(tokens: tokens, repetitions: repetitions)
            results.append(.init("prompt", tokens: tokens, depth: 0, found, model))
        }
        for tokens in generateTokens.numbers where tokens > 0 {
            for depth in depths.numbers {
                progress.show("Decoding \(tokens) tokens at a time behind \(depth)…")
                let found = try benchmark.decode(tokens: tokens, depth: depth, repetitions: repetitions)
                results.append(.init("decode", tokens: tokens, depth: depth, found, model))
            }
        }
        for streams in streams.numbers where streams > 0 {
            for tokens in generateTokens.numbers where tokens > 0 {
                for depth in depths.numbers {
                    progress.show("Decoding \(streams) texts at once…")
                    let found = try benchmark.decodeTogether(
                        streams: streams, tokens: tokens, depth: depth, repetitions: repetitions)
                    results.append(
                        .init("decode together", tokens: tokens, depth: depth, streams: streams, found, model))
                }
            }
        }
        let memory = peakMemory()
        let coldStart = try ColdStart(
            path: path, precision: options.precision, threads: model.threads, times: coldStarts,
            context: model.contextLimit, cachedShare: cachedShare
        ) { progress.show("Starting anew, \($0) of \(coldStarts)…") }
        progress.clear()
        return BenchReport(
            results: results, model: model, precision: options.precision, loadSeconds: loadSeconds, peakMemory: memory,
            coldStart: coldStart)
    }

    /// Each in a process of its own: the instruction set is chosen when one starts.
    private func swept(_ sweep: Sweep) throws -> BenchReport {
        var arguments = [
            "bench", "--json", "--model", try options.path(), "--precision", options.precision.rawValue,
            "--prompt-tokens", promptTokens.defaultValueDescription, "--generate-tokens",
            generateTokens.defaultValueDescription, "--depths", depths.defaultValueDescription, "--streams",
            streams.defaultValueDescription, "--repetitions",
            "\(repetitions)", "--cold-starts", "\(coldStarts)",
        ]
        if let threads = options.threads { arguments += ["--threads", "\(threads)"] }
        let progress = Progress()
        var runs: [BenchReport] = []
        switch sweep {
        case .threads:
            for threads in CPU.threadCounts {
                progress.show("\(threads) threads…")
                runs.append(try child(arguments + ["--threads", "\(threads)"]))
            }
        case .isa:
            for kernels in CPU.supported.reversed() {
                progress.show("\(kernels.name)…")
                runs.append(try child(arguments, environment: ["TINYGPT_ISA": kernels.name]))
            }
        }
        progress.clear()
        return try BenchReport(sweep: sweep.rawValue, runs: runs)
    }

    private func child(_ arguments: [String], environment: [String: String] = [:]) throws -> BenchReport {
        let output = try Child.run(arguments, environment: environment).output
        return try JSONDecoder().decode(BenchReport.self, from: output)
    }
}

/// 128,512
struct NumberList: ExpressibleByArgument {
    let numbers: [Int]

    init(_ numbers: [Int]) { self.numbers = numbers }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard !parts.contains(nil) else { return nil }
        numbers = parts.compactMap { $0 }
    }

    var defaultValueDescription: String { numbers.map(String.init).joined(separator: ",") }
}
