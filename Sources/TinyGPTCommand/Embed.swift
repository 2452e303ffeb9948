import ArgumentParser
import Foundation
import TinyGPT
import TinyLoader
import TinyRunner

struct Embed: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make vectors of texts, which lie near each other where the texts mean alike.",
        discussion: """
            How a text becomes a vector is what the model's files say: the mean of its tokens' states, the first or the \
            last one, of length 1 or not. Encoders such as MiniLM are made for it; any other model will do as well. Where \
            the files say nothing, an encoder gives the mean and another model the last token's state, with a warning.

            A text is an argument, or a line of --file; an empty line is an empty text and has a vector too. In JSON lines \
            the text stands under --key, and what else an object holds is passed through to an --output of JSON lines. \
            Texts longer than the model's limit are cut, and standard error says which.

            Examples:
              tinygpt embed --model weights/all-MiniLM-L6-v2 --similarity "A cat sat down." "一只猫坐下了。" "Rain."
              tinygpt embed --model weights/all-MiniLM-L6-v2 --file texts.jsonl --output vectors.safetensors
              tinygpt embed --model weights/all-MiniLM-L6-v2 --index notes
            """)

    @Argument(help: "The texts.")
    var texts: [String] = []

    @OptionGroup var options: ModelOptions
    @OptionGroup var place: IndexOptions

    @Option(help: ArgumentHelp("Read the texts from a file, a line each; - is standard input.", valueName: "path"))
    var file: String?

    @Option(help: "What the file holds, if its name does not end in .jsonl: lines or jsonl.")
    var format: EmbeddingInput.Format?

    @Option(help: ArgumentHelp("Where the text stands in a line of JSON; \"text\", if not given.", valueName: "name"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "Write to a file, by its ending: .safetensors (a tensor \"embeddings\"), .jsonl or .txt.", valueName: "path"
        ))
    var output: String?

    @Flag(help: "Print a table of how much the texts are alike: the cosines of all pairs.")
    var similarity = false

    @Option(help: "How tokens' states are pooled, whatever the model's files say: mean, first or last.")
    var pooling: PoolingOption?

    enum PoolingOption: String, ExpressibleByArgument, CaseIterable {
        case mean, first, last

        var pooling: Pooling {
            switch self {
            case .mean: .mean
            case .first: .first
            case .last: .last
            }
        }
    }

    @Flag(help: "Leave vectors as long as they come, whatever the model's files say.")
    var noNormalize = false

    @Option(help: ArgumentHelp("A text that is put in front of every text.", valueName: "text"))
    var prompt: String?

    @Option(
        help: ArgumentHelp("One of the prompts that the model's files name, such as \"query\".", valueName: "name"))
    var promptName: String?

    private static let window = 1024
    private static let tableLimit = 100

    func validate() throws {
        if place.index != nil {
            let others =
                !texts.isEmpty || file != nil || format != nil || key != nil || output != nil || similarity
                || pooling != nil || noNormalize || prompt != nil || promptName != nil
            if others {
                throw ValidationError("with --index, the folder is all that is embedded, as the model's files say")
            }
            return
        }
        if texts.isEmpty == (file == nil) {
            throw ValidationError(
                texts.isEmpty
                    ? "no text was given: give some as arguments, or --file (- is standard input)"
                    : "give texts or --file, not both")
        }
        if file == nil && (format != nil || key != nil) { throw ValidationError("--format and --key are for --file") }
        if prompt != nil && promptName != nil { throw ValidationError("give --prompt or --prompt-name, not both") }
        if let output {
            if EmbeddingOutput.Format(path: output) == nil {
                throw ValidationError(
                    "--output \(output): a name that ends in .safetensors, .jsonl or .txt is expected")
            }
            if options.json || similarity {
                throw ValidationError("--output writes the vectors to a file; give it without --json and --similarity")
            }
        }
    }

    func run() throws {
        if let folder = place.index { return try place.update(folder, options) }
        var input = try file.map { try EmbeddingInput(path: $0, format: format, key: key ?? "text") }
        let (model, _) = try options.open()
        let encoder = try Encoder(model, pooling: pooling?.pooling, normalizes: noNormalize ? false : nil)
        for assumption in encoder.settings.assumptions {
            Output.error("warning: \(assumption.visible); --pooling says otherwise\n")
        }
        let isHeld = options.json || similarity
        let writer =
            isHeld
            ? nil
            : try EmbeddingOutput(
                path: output, format: output.flatMap { EmbeddingOutput.Format(path: $0) } ?? .text,
                width: encoder.width, inputs: [model.path] + [file].compactMap(\.self))
        let progress = EmbeddingProgress()
        defer { progress.clear() }
        var (held, names) = (Embeddings(), [String]())
        var cut = CutTexts(isFile: input != nil)
        var rest = texts.enumerated().map { EmbeddingInput.Item(text: $1, line: $0 + 1) }[...]
        while true {
            let before = input?.fractionRead ?? 0
            var items = Array(rest.prefix(Self.window))
            rest = rest.dropFirst(Self.window)
            if let more = try input?.next(Self.window) { items = more }
            if items.isEmpty { break }
            let after = input == nil ? 1 : input?.fractionRead
            let result = try embed(items, encoder, source: input?.name) { part in
                progress.show(texts: Double(items.count) * part, fraction: after.map { before + ($0 - before) * part })
            }
            progress.add(texts: items.count)
            cut.add(result, items)
            try writer?.add(result.vectors, of: items)
            guard isHeld else { continue }
            held.append(result)
            names += items.map(\.text)
            if similarity && held.vectors.count > Self.tableLimit {
                throw Failure("--similarity is for at most \(Self.tableLimit) texts, and there are more")
            }
        }
        progress.clear()
        try writer?.finish()
        if options.json {
            try printObject(held, encoder)
        } else if similarity {
            try Output.print(table(names, held.similarities))
        }
        cut.warn(limit: encoder.tokenLimit)
    }

    private func embed(
        _ items: [EmbeddingInput.Item], _ encoder: TinyGPT.Encoder, source: String?,
        _ onProgress: @escaping (Double) -> Void
    ) throws -> Embeddings {
        do {
            return try encoder.encode(
                items.map(\.text), prompt: promptName, promptText: prompt, onProgress: onProgress)
        } catch EncoderError.noTokens(let text) {
            throw Failure("\(source.map { "\($0): line" } ?? "text") \(items[text].line) is empty and has no tokens")
        } catch EncoderError.notANumber(let text) {
            throw Failure(
                "\(source.map { "\($0): line" } ?? "text") \(items[text].line): its vector holds what is no number; "
                    + "`tinygpt verify` finds the first layer that goes wrong")
        }
    }

    /// Written by hand, as floats should be as short as they can be.
    private func printObject(_ result: Embeddings, _ encoder: TinyGPT.Encoder) throws {
        func list(_ rows: [[String]]) -> String {
            "[" + rows.map { "[" + $0.joined(separator: ",") + "]" }.joined(separator: ",") + "]"
        }
        var object =
            "{\"cut_texts\":\(result.cutTexts),\"embeddings\":\(list(result.vectors.map { $0.map(\.description) }))"
        if similarity { object += ",\"similarities\":\(list(result.similarities.map { $0.map(\.description) }))" }
        object += ",\"tokens\":\(result.tokenCounts),\"width\":\(encoder.width)}\n"
        try Output.print(object)
    }

    private func table(_ texts: [String], _ similarities: [[Double]]) -> String {
        let shown = texts.map(\.visible)
        let width = min(40, max(4, shown.map(\.columns).max() ?? 0))
        let digits = String(texts.count).count
        let cell = max(6, digits + 1)
        var result = String(repeating: " ", count: digits + 2 + width)
        for number in 1...max(1, texts.count) { result += String(number).leftPadded(to: cell + 1) }
        result += "\n"
        for (index, row) in similarities.enumerated() {
            result += String(index + 1).leftPadded(to: digits) + "  " + shown[index].cut(to: width).padded(to: width)
            for value in row { result += value.fixed(3).leftPadded(to: cell + 1) }
            result += "\n"
        }
        return result
    }
}

extension EmbeddingInput.Format: ExpressibleByArgument {}

/// Which texts were longer than the limit.
private struct CutTexts {
    let isFile: Bool
    private var numbers: [Int] = []
    private var (count, total) = (0, 0)

    init(isFile: Bool) { self.isFile = isFile }

    mutating func add(_ result: Embeddings, _ items: [EmbeddingInput.Item]) {
        count += result.cutTexts.count
        total += items.count
        numbers += result.cutTexts.prefix(20 - numbers.count).map { items[$0].line }
    }

    func warn(limit: Int) {
        if count == 0 { return }
        let list = numbers.map(String.init).joined(separator: ", ") + (count > numbers.count ? ", …" : "")
        Output.error(
            "warning: \(count) of \(total) texts had more than \(limit) tokens and were cut: \(isFile ? "line" : "text") \(list)\n"
        )
    }
}

/// How far it is, and how long it will still take; drawn at most ten times a second.
private final class EmbeddingProgress {
    private let line = Progress()
    private let start = ContinuousClock.now
    private var last: ContinuousClock.Instant?
    private var texts = 0

    func add(texts count: Int) { texts += count }

    func show(texts part: Double, fraction: Double?) {
        let now = ContinuousClock.now
        if let last, last.duration(to: now) < .milliseconds(100) { return }
        last = now
        let elapsed = start.duration(to: now).inSeconds
        let done = Double(texts) + part
        var text = "\(Int(done)) texts, \((done / max(elapsed, 1e-3)).fixed(0)) a second"
        if let fraction, fraction > 0 {
            text += ", about \(Int((elapsed * (1 - fraction) / fraction).rounded(.up))) s left"
        }
        line.show(text)
    }

    func clear() { line.clear() }
}
