import ArgumentParser
import Foundation
import TinyGPT

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continue a text.",
        discussion: """
            The continuation is printed as it is found; figures follow on standard error. Without --temperature the \
            likeliest token is taken each time, so the same text gives the same continuation.
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("The most tokens to generate.", valueName: "n"))
    var maxTokens = 128

    @OptionGroup var sampling: SamplingOptions

    @Flag(help: "Read special tokens such as <|im_start|> in the prompt as what they are.")
    var special = false

    private var generation: GenerationOptions {
        GenerationOptions(maxTokens: maxTokens, sampling: sampling.sampling(temperature: 0), stops: sampling.stop)
    }

    func validate() throws {
        if maxTokens < 0 { throw ValidationError("--max-tokens is \(maxTokens); a number from 0 on is expected") }
    }

    func run() throws {
        let prompt = try input.read()
        let (model, loadSeconds) = try options.open()
        let tokenizer = try model.tokenizer
        let tokens = tokenizer.encodePrompt(prompt, special: special)
        var decoder = model.decoder(capacity: try capacity(tokens.count, model))
        let progress = Progress()
        let total = tokens.count
        let completion = try decoder.generate(
            tokens, generation, tokenizer: tokenizer, endOfText: model.endOfText,
            onProgress: { progress.show("Reading the prompt: \($0) of \(total) tokens") },
            onPiece: { piece in
                progress.clear()
                if !options.json { try Output.print(piece.text) }
            })
        if options.json {
            try Output.json(Report(completion, loadSeconds: loadSeconds))
        } else {
            try Output.print("\n")
            report(completion, loadSeconds: loadSeconds)
        }
    }

    /// Room for prompt and continuation, within what the model was made for.
    private func capacity(_ prompt: Int, _ model: Model) throws -> Int {
        let wanted = prompt.addingReportingOverflow(maxTokens)
        let limit = model.contextLimit ?? .max
        if prompt > limit { throw RunnerError.contextTooLong(limit: limit, wanted: prompt) }
        return max(1, min(wanted.overflow ? .max : wanted.partialValue, limit))
    }

    private func report(_ completion: Completion, loadSeconds: Double) {
        let reason =
            switch completion.stopReason {
            case .contextFull:
                "; the context is full at \(completion.promptTokens + completion.completionTokens) tokens"
            default: ""
            }
        Output.error(
            """
            \(completion.promptTokens) tokens read at \(completion.prefillTokensPerSecond.fixed(1))/s, \
            \(completion.completionTokens) generated at \(completion.decodeTokensPerSecond.fixed(1))/s, \
            loaded in \(loadSeconds.fixed(2)) s, peak memory \(size(peakMemory()))\(reason)

            """)
    }
}

/// What `generate --json` prints.
private struct Report: Encodable {
    struct Timings: Encodable {
        let load_seconds: Double
        let prefill_seconds: Double
        let decode_seconds: Double
        let prefill_tokens_per_second: Double
        let decode_tokens_per_second: Double
    }

    let text: String
    let tokens: [Int]
    let prompt_tokens: Int
    let completion_tokens: Int
    let stop_reason: StopReason
    let timings: Timings
    let peak_memory_bytes: Int

    init(_ completion: Completion, loadSeconds: Double) {
        text = completion.text
        tokens = completion.tokens
        prompt_tokens = completion.promptTokens
        completion_tokens = completion.completionTokens
        stop_reason = completion.stopReason
        timings = Timings(
            load_seconds: loadSeconds, prefill_seconds: completion.prefillSeconds,
            decode_seconds: completion.decodeSeconds, prefill_tokens_per_second: completion.prefillTokensPerSecond,
            decode_tokens_per_second: completion.decodeTokensPerSecond)
        peak_memory_bytes = peakMemory()
    }
}
