import ArgumentParser
import TinyGPT

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how fast a prompt is read and tokens are decoded.",
        discussion: """
            Each test is repeated, and the median, least and most are given: a wide spread says that the machine was busy \
            with something else. A warm-up is not counted.
            """)

    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("Length of the prompt that is read.", valueName: "n"))
    var promptTokens = 512

    @Option(help: ArgumentHelp("Tokens that are decoded, behind the prompt's first token.", valueName: "n"))
    var generateTokens = 128

    @Option(help: ArgumentHelp("How often each test is repeated.", valueName: "n"))
    var repetitions = 5

    func validate() throws {
        for (name, value) in [("prompt-tokens", promptTokens), ("generate-tokens", generateTokens)] where value < 0 {
            throw ValidationError("--\(name) is \(value); a number from 0 on is expected")
        }
        if !(1...1000).contains(repetitions) {
            throw ValidationError("--repetitions is \(repetitions); a number from 1 to 1000 is expected")
        }
    }

    func run() throws {
        let (model, loadSeconds) = try options.open()
        let benchmark = Benchmark(model: model)
        let progress = Progress()
        var results: [Result] = []
        if promptTokens > 0 {
            progress.show("Reading prompts of \(promptTokens) tokens…")
            results.append(
                Result(
                    test: "prompt", tokens: promptTokens,
                    speeds: try benchmark.promptSpeeds(tokens: promptTokens, repetitions: repetitions)))
        }
        if generateTokens > 0 {
            progress.show("Decoding \(generateTokens) tokens at a time…")
            results.append(
                Result(
                    test: "decode", tokens: generateTokens,
                    speeds: try benchmark.decodeSpeeds(tokens: generateTokens, repetitions: repetitions)))
        }
        progress.clear()
        let report = Report(results: results, model: model, loadSeconds: loadSeconds)
        if options.json { return try Output.json(report) }
        try Output.print(
            "\(report.machine), \(report.isa), \(report.threads) threads, \(options.precision.rawValue); loaded in "
                + "\(loadSeconds.fixed(2)) s, peak memory \(size(report.peak_memory_bytes))\n")
        try Output.print("test      tokens     median        min        max   tokens/s\n")
        for result in results {
            let speeds = result.tokens_per_second
            try Output.print(
                result.test.padded(to: 8) + String(result.tokens).leftPadded(to: 8)
                    + [speeds.median, speeds.min, speeds.max].map { $0.fixed(1).leftPadded(to: 11) }.joined() + "\n")
        }
    }

    private struct Result: Encodable {
        struct Spread: Encodable {
            let median: Double
            let min: Double
            let max: Double
        }

        let test: String
        let tokens: Int
        let tokens_per_second: Spread

        init(test: String, tokens: Int, speeds: [Double]) {
            self.test = test
            self.tokens = tokens
            let sorted = speeds.sorted()
            let middle = sorted.count / 2
            let median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
            tokens_per_second = Spread(median: median, min: sorted[0], max: sorted[sorted.count - 1])
        }
    }

    private struct Report: Encodable {
        let results: [Result]
        let machine: String
        let isa: String
        let threads: Int
        let load_seconds: Double
        let peak_memory_bytes: Int

        init(results: [Result], model: Model, loadSeconds: Double) {
            self.results = results
            machine = processorName()
            isa = model.instructionSet
            threads = model.threads
            load_seconds = loadSeconds
            peak_memory_bytes = peakMemory()
        }
    }
}
