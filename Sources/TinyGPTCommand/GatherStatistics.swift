import ArgumentParser
import TinyGPT

struct GatherStatistics: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imatrix",
        abstract: "Gather from a text how much each input of the model's matrices counts, for quantize --imatrix.",
        discussion: """
            The file is GGUF, as other programs write and read it too. Some hundred thousand tokens of the kind that \
            the model will read are enough.
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var options: ModelOptions

    @Option(name: [.short, .long], help: ArgumentHelp("The file to write.", valueName: "path"))
    var output: String

    @Option(help: ArgumentHelp("Tokens read at a time; 512 if not given.", valueName: "n"))
    var window: Int?

    @Flag(help: "Replace the output if it is there.")
    var force = false

    func run() throws {
        let progress = Progress()
        defer { progress.clear() }
        let start = ContinuousClock.now
        let statistics = try ActivationStatistics(
            of: try options.path(), text: try input.read(), window: window, threads: options.threads
        ) { progress.show("\($0) of \($1) tokens") }
        let written = try statistics.write(to: output, replacing: force)
        progress.clear()
        let seconds = start.duration(to: .now).inSeconds
        if options.json {
            return try Output.json(
                Report(bytes: written.bytes, tensors: written.tensors, seconds: seconds, tokens: statistics.tokens))
        }
        try Output.print("\(output): \(statistics.tokens) tokens, \(size(written.bytes)), \(seconds.fixed(1)) s\n")
    }

    private struct Report: Encodable {
        let bytes: Int
        let tensors: Int
        let seconds: Double
        let tokens: Int
    }
}
