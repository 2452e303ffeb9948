import TinyGPT
import TinyRunner

/// What `bench --json` prints, and what its tables are made of.
struct BenchReport: Codable {
    struct Spread: Codable {
        let median: Double
        let min: Double
        let max: Double

        init(_ values: [Double]) {
            (median, min, max) = (TinyRunner.median(values), values.min() ?? 0, values.max() ?? 0)
        }
    }

    /// How still the machine was; shares are 0 to 1, absent where the system does not say, or too little time passed.
    struct Noise: Codable {
        let believable: Bool
        let complaints: [String]
        let calibration_seconds: Spread
        let calibration_spread: Double
        let spread: Double
        let steal: Double?
        let other_processes: Double?

        init(_ noise: MachineNoise) {
            complaints = noise.complaints
            believable = complaints.isEmpty
            calibration_seconds = Spread(noise.calibrations)
            calibration_spread = noise.calibrationSpread
            spread = noise.spread
            steal = noise.steal
            other_processes = noise.others
        }
    }

    struct Result: Codable {
        let test: String
        let tokens: Int
        /// Tokens in the context when it began.
        let depth: Int
        /// Texts that were decoded at once; 1 but for "decode together".
        let streams: Int
        let threads: Int
        let isa: String
        let tokens_per_second: Spread
        let repetitions: [Double]
        let noise: Noise

        var name: String { streams > 1 ? "\(test), \(streams) texts" : test }

        init(_ test: String, tokens: Int, depth: Int, streams: Int = 1, _ found: Benchmark.Measurement, _ model: Model)
        {
            self.test = test
            self.tokens = tokens
            self.depth = depth
            self.streams = streams
            threads = model.threads
            isa = model.instructionSet
            tokens_per_second = Spread(found.speeds)
            repetitions = found.speeds
            noise = Noise(found.noise)
        }
    }

    let results: [Result]
    let model: String
    let machine: String
    let isa: String
    let threads: Int
    let precision: String
    let load_seconds: Double
    let peak_memory_bytes: Int
    /// Absent where none was asked for.
    let cold_start: ColdStart?
    /// What was gone through, and each run; absent where there was one.
    let sweep: String?
    let runs: [BenchReport]?

    init(
        results: [Result], model: Model, precision: Precision, loadSeconds: Double, peakMemory: Int,
        coldStart: ColdStart?
    ) {
        self.results = results
        self.model = model.path
        machine = processorName()
        isa = model.instructionSet
        threads = model.threads
        self.precision = precision.rawValue
        load_seconds = loadSeconds
        peak_memory_bytes = peakMemory
        cold_start = coldStart
        (sweep, runs) = (nil, nil)
    }

    /// All runs' results; the rest is of the last, which is what would run unasked.
    init(sweep: String, runs: [BenchReport]) throws {
        guard let last = runs.last else { throw Failure("there was nothing to go through") }
        results = runs.flatMap(\.results)
        model = last.model
        machine = last.machine
        isa = last.isa
        threads = last.threads
        precision = last.precision
        load_seconds = last.load_seconds
        peak_memory_bytes = last.peak_memory_bytes
        cold_start = last.cold_start
        self.sweep = sweep
        self.runs = runs
    }

    // MARK: For people

    private var all: [BenchReport] { runs ?? [self] }

    /// The rows of either table, the heading first.
    private var rows: [[String]] {
        [["test", "tokens", "depth", "ISA", "threads", "median", "min", "max"]]
            + results.map { result in
                let speeds = result.tokens_per_second
                return [result.name, "\(result.tokens)", "\(result.depth)", result.isa, "\(result.threads)"]
                    + [speeds.median, speeds.min, speeds.max].map { $0.fixed(1) }
            }
    }

    private func summary(_ run: BenchReport) -> String {
        var text =
            "\(run.isa), \(run.threads) threads, \(run.precision): loaded in \(run.load_seconds.fixed(2)) s, peak memory "
            + size(run.peak_memory_bytes)
        if let start = run.cold_start { text += "; \(start.text)" }
        return text
    }

    /// Each figure that is not to be believed, and why.
    private var complaints: [String] {
        results.filter { !$0.noise.believable }.map {
            "Too noisy to believe: \($0.name) of \($0.tokens) at depth \($0.depth), \($0.isa), \($0.threads) threads: "
                + $0.noise.complaints.joined(separator: "; ") + "."
        }
    }

    var table: String {
        var text = machine + "\n" + all.map(summary).joined(separator: "\n") + "\n"
        if !results.isEmpty {
            let width = 1 + (rows.map { $0[0].count }.max() ?? 0)
            for row in rows {
                text +=
                    row.enumerated().map { index, field in
                        index == 0 ? field.padded(to: width) : field.leftPadded(to: index == 3 ? 12 : 9)
                    }.joined() + (row[0] == "test" ? "   tokens/s\n" : "\n")
            }
        }
        return text + complaints.map { $0 + "\n" }.joined()
    }

    var markdown: String {
        func field(_ text: String) -> String { text.replacing("|", with: "\\|") }
        let name = model.split(separator: "/").last.map(String.init) ?? model
        var text = "**tinygpt bench**, \(field(name)) on \(field(machine))\n\n"
        text += all.map { "- \(summary($0))\n" }.joined() + "\n"
        for (index, row) in rows.enumerated() {
            text += "| " + row.map(field).joined(separator: " | ") + (index == 0 ? " tokens/s |\n" : " |\n")
            if index == 0 { text += "|---|--:|--:|---|--:|--:|--:|--:|\n" }
        }
        return text + (complaints.isEmpty ? "" : "\n") + complaints.map { "- \($0)\n" }.joined()
    }
}
