import ArgumentParser
import Foundation
import TinyGPT

struct MeasurePerplexity: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perplexity",
        abstract: "Measure how well the model predicts a text.",
        discussion: """
            The perplexity is exp(mean of −ln p) over the text's tokens, p being the probability that the model gave the \
            token that came: as if it had to guess among so many equally likely ones each time. Less is better. Two \
            figures compare only with the same text, vocabulary, convention, window and stride.

            sliding: windows overlap, and every token is scored once, with at least a window's tokens less the stride \
            before it. llama.cpp: windows one behind the other, of whose tokens the second half is scored, as \
            llama-perplexity does it.

            --json gives negative_log_likelihood in nats, as the sum over all scored tokens. Interrupted, it prints what it \
            has so far, says so on standard error, and ends with exit code 1.
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var options: ModelOptions

    @Option(
        help: ArgumentHelp(
            "Tokens read at a time; 512, or the model's context if that is less, if not given.", valueName: "n"))
    var window: Int?

    @Option(
        help: ArgumentHelp(
            "How far the next window begins behind the last; half a window, if not given.", valueName: "n"))
    var stride: Int?

    @Option(help: "How the text is cut into windows, and what of them is scored.")
    var convention: Convention = .sliding

    enum Convention: String, ExpressibleByArgument, CaseIterable {
        case sliding
        case secondHalves = "llama.cpp"
    }

    func validate() throws {
        if let window, window < 2 {
            throw ValidationError(
                "--window is \(window); a number from 2 on is expected: one token has nothing before it")
        }
        if let stride, stride < 1 { throw ValidationError("--stride is \(stride); a number from 1 on is expected") }
        if stride != nil && convention != .sliding {
            throw ValidationError(
                "--stride is for --convention sliding; with \(convention.rawValue) windows do not overlap")
        }
    }

    func run() throws {
        let text = try input.read()
        Interruption.watch()
        let source = input.file.map(InputBytes.name) ?? (input.text == nil ? "standard input" : "the text given")
        if text.isEmpty { throw Failure("\(source): is empty; a text of at least two tokens is expected") }
        let (model, _) = try options.open()
        let progress = Progress()
        let clock = RemainingTime()
        let result: Perplexity
        do {
            result = try model.perplexity(
                of: text, window: window, convention == .sliding ? .sliding(stride: stride) : .secondHalves,
                isCancelled: { Interruption.wasAskedFor },
                onProgress: {
                    progress.show(
                        "\($0.tokens) of \($0.totalTokens) tokens, perplexity so far \($0.value.fixed(3))"
                            + clock.text($0.tokens, of: $0.totalTokens))
                })
        } catch let error as RunnerError { throw Failure("\(source): \(error)") }
        progress.clear()
        if result.tokens == 0 { throw Failure("\(source): interrupted before the first token was scored") }
        if options.json { try Output.json(Report(result)) } else { try printTable(result) }
        if !result.isComplete {
            Output.error(
                "Interrupted: this is of the first \(result.tokens) of \(result.totalTokens) tokens to score.\n")
            throw ExitCode(1)
        }
    }

    private func printTable(_ result: Perplexity) throws {
        let interval = result.confidenceInterval
        try Output.print(
            """
            perplexity      \(result.value.fixed(4))   (95 %: \(interval.lowerBound.fixed(4)) to \(interval.upperBound.fixed(4)))
            cross-entropy   \(result.crossEntropy.fixed(5)) nats a token, \
            \((result.crossEntropy / log(2)).fixed(5)) bits
            scored          \(result.tokens) tokens

            """)
    }

    /// What `perplexity --json` prints.
    private struct Report: Encodable {
        let perplexity: Double
        let tokens: Int
        let negative_log_likelihood: Double

        init(_ result: Perplexity) {
            perplexity = result.value
            tokens = result.tokens
            negative_log_likelihood = result.negativeLogLikelihood
        }
    }
}
