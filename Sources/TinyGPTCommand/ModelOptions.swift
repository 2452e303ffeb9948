public import ArgumentParser
import Foundation
public import TinyGPT

/// The options that every subcommand takes.
struct ModelOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The model: a GGUF or safetensors file, or a folder.", valueName: "path"))
    var model: String?

    @Option(help: ArgumentHelp("Threads to use; the cores this process may use, if not given.", valueName: "n"))
    var threads: Int?

    @Option(
        help:
            "exact: all arithmetic on float activations. fast: activations rounded to 15 bits where weights are quantized, in prompts to bf16 with AMX and, by weights of Q4_0, Q4_1 and Q4_K or less, mostly to 8 bits with AVX-512 or AVX2 alone; a cache of halves."
    )
    var precision: Precision = .fast

    @Flag(help: "Print one JSON object on standard output, and nothing else there.")
    var json = false

    func validate() throws {
        if model == "" {
            throw ValidationError("--model is empty; a GGUF or safetensors file, or a folder, is expected")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); a number from 1 to 1024 is expected")
        }
    }

    /// The model's path, if the user named one: as an option, or in the environment.
    var namedPath: String? {
        if let model { return model }
        let path = ProcessInfo.processInfo.environment["TINYGPT_MODEL"] ?? ""
        return path.isEmpty ? nil : path
    }

    /// The model's path: as named, or the default model.
    func path() throws -> String {
        if let namedPath { return namedPath }
        let name = "weights/SmolLM2-135M-Instruct.Q4_1.gguf"
        let executable = (Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0]))
            .resolvingSymlinksInPath()
            .deletingLastPathComponent()
        var folders = [URL(fileURLWithPath: FileManager.default.currentDirectoryPath)]
        var folder = executable
        while folder.path != "/" {
            folders.append(folder)
            folder.deleteLastPathComponent()
        }
        for folder in folders {
            let candidate = folder.appendingPathComponent(name).path
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
        }
        throw Failure(
            "no model was named, and \(name) is not there; give --model PATH, set TINYGPT_MODEL, or run scripts/fetch_weights"
        )
    }

    /// Opens the model, saying so on a terminal, and how long it took.
    func open() throws -> (model: Model, seconds: Double) {
        let path = try path()
        let progress = Progress()
        progress.show("Loading \(path)…")
        defer { progress.clear() }
        let start = ContinuousClock.now
        let model = try Model(at: path, precision: precision, threads: threads)
        progress.clear()
        for warning in model.warnings.prefix(20) { Output.error("warning: \(warning.visible)\n") }
        return (model, start.duration(to: .now).inSeconds)
    }
}

extension Precision: ExpressibleByArgument {}

/// Something that went wrong, in words.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// Where a text comes from: an argument, a file, or standard input.
struct TextInput: ParsableArguments {
    @Argument(help: "The text; standard input, if neither it nor --file is given.")
    var text: String?

    @Option(help: ArgumentHelp("Read the text from a file; - is standard input.", valueName: "path"))
    var file: String?

    func validate() throws {
        if text != nil && file != nil { throw ValidationError("give the text or --file, not both") }
    }

    func read() throws -> String {
        if let text { return text }
        if let file { return try InputBytes.text(file) }
        if isatty(0) != 0 {
            throw ValidationError("no text was given: give it as an argument, with --file, or on standard input")
        }
        return try InputBytes.text("-")
    }
}
