import ArgumentParser
import Foundation
import TinyGPT

struct Next: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the candidates for the next token, and how the model came to them.",
        discussion: """
            With --steps it walks on by the likeliest token and shows the alternatives at each step. With --text or \
            --text-file it scores every token of a text: its probability, its rank, and what the model would have said \
            instead. Entropies are in bits, log-probabilities in nats.

            --lens shows what the model would say if it stopped after each layer (final norm and head on the residual \
            stream; 0 is before the first layer), and --attention which tokens each head looked at; layers and heads are \
            numbered from 1. --html writes a page with all of it that needs nothing else.

            Examples:
              tinygpt next --top 5 "The capital of France is"
              tinygpt next --steps 8 "Once upon a time"
              tinygpt next --text "法国的首都是巴黎。" --lens --attention --html page.html
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var options: ModelOptions

    @Option(
        help: ArgumentHelp("How many candidates to show; if not given, 10, 5 on a page, 4 in a row.", valueName: "n"))
    var top: Int?

    @Option(help: ArgumentHelp("Walk on by so many of the likeliest tokens.", valueName: "n"))
    var steps = 0

    @Option(help: ArgumentHelp("Score each token of this text.", valueName: "text"))
    var text: String?

    @Option(help: ArgumentHelp("Score each token of the text in this file; - is standard input.", valueName: "path"))
    var textFile: String?

    @Flag(help: "Read special tokens such as <|im_start|> in the text as what they are.")
    var special = false

    @Flag(help: "Show what the model would say if it stopped after each layer.")
    var lens = false

    @Flag(help: "Show which tokens each head looked at.")
    var attention = false

    @Option(
        help: ArgumentHelp(
            "The layers for --lens and --attention, such as 1,4,10-12; all, if not given.", valueName: "list"))
    var layers: LayerList?

    @Option(help: ArgumentHelp("Write a page that shows it all.", valueName: "path"))
    var html: String?

    private var scoresText: Bool { text != nil || textFile != nil }

    func validate() throws {
        if let top, top < 1 { throw ValidationError("--top is \(top); a number from 1 on is expected") }
        if steps < 0 { throw ValidationError("--steps is \(steps); a number from 0 on is expected") }
        if text != nil && textFile != nil { throw ValidationError("give --text or --text-file, not both") }
        if scoresText && (input.text != nil || input.file != nil) {
            throw ValidationError("give a prompt, or a text to score with --text or --text-file, not both")
        }
        if layers != nil && !lens && !attention {
            throw ValidationError("--layers says which layers --lens and --attention show; give one of them")
        }
    }

    func run() throws {
        let prompt = try read()
        let inputs = [try options.path()] + [input.file, textFile].compactMap(\.self)
        let page = try html.map { try ResultFile($0, inputs: inputs) }
        let (model, _) = try options.open()
        let tokenizer = try model.tokenizer
        let progress = Progress()
        let trace = try model.trace(
            tokens: tokenizer.encodePrompt(prompt, special: special), traceOptions(model),
            onProgress: { progress.show("Read \($0) tokens") })
        progress.clear()
        if let page {
            let name = URL(fileURLWithPath: model.path).lastPathComponent
            try page.write(TracePage(trace, tokenizer, title: name).html())
            try page.finish()
        }
        if options.json { return try Output.json(NextReport(trace, tokenizer, isScored: scoresText)) }
        try Output.print(NextTable(trace, tokenizer, isScored: scoresText, alternatives: top ?? 4).text)
        if let html { Output.error("Wrote \(html).\n") }
    }

    private func read() throws -> String {
        if let text { return text }
        guard let textFile else { return try input.read() }
        return try InputBytes.text(textFile)
    }

    private func traceOptions(_ model: Model) -> TraceOptions {
        let count = model.spec.layers.count
        let withAttention = (1...max(1, count)).filter { $0 <= count && model.spec.layers[$0 - 1].hasAttention }
        return TraceOptions(
            top: top ?? (html == nil ? 10 : 5), scoresText: scoresText || (html != nil && !model.spec.seesAhead),
            steps: steps, lens: lens ? layers?.numbers ?? Array(0...count) : [],
            attention: attention ? layers?.numbers.filter { $0 > 0 } ?? withAttention : [])
    }
}

/// Numbers of layers as they are typed: `1,4,10-12`.
struct LayerList: ExpressibleByArgument {
    let numbers: [Int]

    init?(argument: String) {
        var numbers: [Int] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                (0...last).contains(first), last < 10_000
            else { return nil }
            numbers += first...last
        }
        self.numbers = numbers
    }
}
