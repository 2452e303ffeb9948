import ArgumentParser
import TinyGPT

struct Next: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the candidates for the next token, with their probabilities.")

    @OptionGroup var input: TextInput
    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("How many candidates to show.", valueName: "n"))
    var top = 10

    func validate() throws {
        if top < 1 { throw ValidationError("--top is \(top); a number from 1 on is expected") }
    }

    func run() throws {
        let prompt = try input.read()
        let (model, _) = try options.open()
        let tokens = try model.tokens(prompt)
        if let limit = model.contextLimit, tokens.count > limit {
            throw RunnerError.contextTooLong(limit: limit, wanted: tokens.count)
        }
        var decoder = model.decoder(capacity: tokens.count)
        let candidates = try decoder.read(tokens) { logits in Candidate.top(top, of: logits) }
        let tokenizer = try model.tokenizer
        let rows = candidates.map {
            Row(id: $0.token, piece: text(of: $0.token, tokenizer), probability: $0.probability, logit: $0.logit)
        }
        if options.json { return try Output.json(["candidates": rows]) }
        for row in rows {
            let percent = (Double(row.probability) * 100).fixed(2).leftPadded(to: 6)
            let logit = Double(row.logit).fixed(3).leftPadded(to: 9)
            try Output.print("\(percent) %  \(logit)  \(String(row.id).leftPadded(to: 6))  \"\(row.piece.visible)\"\n")
        }
    }

    /// Ids beyond the vocabulary are padding that some models have.
    private func text(of token: Int, _ tokenizer: Tokenizer) -> String { (try? tokenizer.decode([token])) ?? "" }

    private struct Row: Encodable {
        let id: Int
        let piece: String
        let probability: Float
        let logit: Float
    }
}
