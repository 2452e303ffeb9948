import ArgumentParser
import Foundation
import TinyGPT
import TinyRunner

struct ProfileTime: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Show where the time goes: each kernel, beside what this machine can do.",
        discussion: """
            A prompt is read and tokens are decoded, with and without profiling in turn, so that what profiling costs is \
            measured too. Times are the calling thread's, and sum to the wall time; rates are those of all threads. The \
            limits are measured in the same run: reading memory, and arithmetic in registers or tiles. A kernel is beyond \
            the memory's limit where a cache holds what it reads.
            """)

    @Argument(help: "A text to read; made-up tokens, if neither it nor --file is given.")
    var text: String?

    @Option(help: ArgumentHelp("Read the text from a file.", valueName: "path"))
    var file: String?

    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("Length of the prompt, where there is no text. (default: 512)", valueName: "n"))
    var promptTokens: Int?

    @Option(help: ArgumentHelp("Tokens that are decoded behind it.", valueName: "n"))
    var generateTokens = 128

    @Option(help: ArgumentHelp("How often, with and without profiling; the last one is shown.", valueName: "n"))
    var repetitions = 3

    @Flag(help: "Show each layer too.")
    var layers = false

    @Flag(help: "Show each thread too.")
    var perThread = false

    @Option(help: ArgumentHelp("Write what happened when, for https://ui.perfetto.dev.", valueName: "path"))
    var trace: String?

    @Option(help: ArgumentHelp("Write a picture of the roofline as SVG.", valueName: "path"))
    var plot: String?

    func validate() throws {
        if text != nil && file != nil { throw ValidationError("give the text or --file, not both") }
        if promptTokens != nil && (text != nil || file != nil) {
            throw ValidationError("a text has a length of its own: give it or --prompt-tokens, not both")
        }
        for (name, value, least) in [("prompt-tokens", promptTokens ?? 1, 1), ("generate-tokens", generateTokens, 0)]
        where !(least...10_000_000).contains(value) {
            throw ValidationError("--\(name) is \(value); a number from \(least) to 10000000 is expected")
        }
        if !(1...1000).contains(repetitions) {
            throw ValidationError("--repetitions is \(repetitions); a number from 1 to 1000 is expected")
        }
    }

    func run() throws {
        var text = text
        if let file {
            var input = TextInput()
            (input.text, input.file) = (nil, file)
            text = try input.read()
        }
        let inputs = [try options.path()] + (file.map { [$0] } ?? [])
        let plotFile = try plot.map { try ResultFile($0, inputs: inputs) }
        let traceFile = try trace.map { try ResultFile($0, inputs: inputs) }
        if let plotFile, let traceFile, traceFile.replaces(plotFile) {
            throw Failure("--plot and --trace name the same file, and only one can have it; give one another name")
        }
        let (model, loadSeconds) = try options.open()
        var run = ProfileRun(model: model)
        run.text = text
        run.promptTokens = promptTokens ?? 512
        run.generateTokens = generateTokens
        run.repetitions = repetitions
        run.traces = trace != nil
        let progress = Progress()
        let result = try run.run { progress.show($0) }
        progress.clear()
        try printReport(result, model, loadSeconds)
        if let plotFile {
            let title =
                "\((model.path as NSString).lastPathComponent), \(model.instructionSet), \(model.threads) threads, "
                + options.precision.rawValue
            try plotFile.write(Roofline(result.report, limits: result.limits, title: title).svg)
            try plotFile.finish()
        }
        if let traceFile {
            let lost = try result.profile.writeTrace(traceFile.write)
            try traceFile.finish()
            if lost > 0 { Output.error("warning: the trace lacks \(lost) events, as there was no room for more\n") }
        }
    }

    private func printReport(_ result: ProfileRun.Result, _ model: Model, _ loadSeconds: Double) throws {
        if options.json { return try Output.json(ProfileJSON(result, model, loadSeconds: loadSeconds)) }
        try Output.print(
            ProfileTable(result, showsLayers: layers, showsThreads: perThread).text(
                machine: "\(processorName()), \(model.instructionSet), \(model.threads) threads, "
                    + options.precision.rawValue))
    }
}
