public import ArgumentParser
public import TinyGPT

struct Quantize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a model's weights in another element type, as a GGUF file.",
        discussion: """
            TYPE is F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q6_K, or one of the mixtures Q4_K_S, Q4_K_M (also Q4_K), \
            Q5_K_S and Q5_K_M (also Q5_K), which give the tensors that most depends on more bits. Norms, biases and \
            small tensors stay as they are.

            The output appears once it is whole, and memory does not grow with the model. Statistics of what the model's \
            matrices are multiplied by (tinygpt imatrix) make most types better.

            Example:
              tinygpt quantize --model model-f16.gguf --type Q4_K_M --output model-q4_k_m.gguf
            """)

    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("The type to write.", valueName: "type"))
    var type: QuantizationType

    @Option(name: [.short, .long], help: ArgumentHelp("The GGUF file to write.", valueName: "path"))
    var output: String

    @Option(help: ArgumentHelp("Statistics of activations, by which errors are weighed.", valueName: "path"))
    var imatrix: String?

    @Flag(help: "Replace the output if it is there.")
    var force = false

    func run() throws {
        let quantization = try Quantization(
            of: try options.path(), to: type, importance: imatrix, threads: options.threads)
        try Writing.run(output, warnings: quantization.warnings, json: options.json) {
            try quantization.write(to: output, replacing: force, progress: $0)
        }
    }
}

extension QuantizationType: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
}

/// What the commands that write models print.
enum Writing {
    static func run(
        _ output: String, warnings: [String], json: Bool,
        write: (@escaping (WriteReport) -> Void) throws -> WrittenModel
    ) throws {
        for warning in warnings.prefix(20) { Output.error("warning: \(warning.visible)\n") }
        let progress = Progress()
        defer { progress.clear() }
        let start = ContinuousClock.now
        var shown = start
        let written = try write { report in
            let now = ContinuousClock.now
            guard shown.duration(to: now) > .milliseconds(100) else { return }
            shown = now
            let done = Double(report.bytes) / Double(max(1, report.totalBytes))
            let left = done > 0.02 ? start.duration(to: now).inSeconds * (1 / done - 1) : nil
            progress.show(
                "\((100 * done).fixed(0)) % of \(size(report.totalBytes)) · \(report.tensor.visible.prefix(60))"
                    + (left.map { " · \($0.fixed(0)) s left" } ?? ""))
        }
        progress.clear()
        if json {
            return try Output.json(Report(bytes: written.bytes, tensors: written.tensors, seconds: written.seconds))
        }
        try Output.print(
            "\(output): \(size(written.bytes)) in \(written.tensors) tensors, \(written.seconds.fixed(1)) s\n")
    }

    private struct Report: Encodable {
        let bytes: Int
        let tensors: Int
        let seconds: Double
    }
}
