import ArgumentParser
import TinyGPT

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare a model's outputs with a reference, or with another model.",
        discussion: """
            --reference: a safetensors file with token_ids (and token_type_ids or pixel_values) and any of logits, \
            hidden.N, last_hidden_state, greedy, pooler_output, text_embeds and image_embeds. It holds if every row's \
            first choice is equal and nothing differs by more than the tolerance times the reference's largest; if not, \
            the exit code is 1.

            --against: another file of the same model, say the original of a quantized one. Both read the text (an argument, \
            --file or standard input); shown are each layer's relative error, the mean divergence of the other's \
            probabilities from this model's, and how often both expect the same token first. Nothing is judged unless there \
            is a --tolerance.

            --sums: the SHA-256 of every tensor's bytes as they are stored, and one of all: who sees the same sums holds the \
            same weights.
            """)

    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("The reference outputs.", valueName: "path"))
    var reference: String?

    @Option(help: ArgumentHelp("The model to compare with.", valueName: "path"))
    var against: String?

    @Flag(help: "Print a fingerprint of every tensor.")
    var sums = false

    @Option(
        help: ArgumentHelp(
            "Largest difference, as a part of the reference's largest; 0.001, or 0.05 with --precision fast.",
            valueName: "x"))
    var tolerance: Double?

    @Option(
        help: ArgumentHelp(
            "With --against: tokens read at a time; 512, or the models' context if that is less, if not given.",
            valueName: "n"))
    var window: Int?

    @OptionGroup var input: TextInput

    func validate() throws {
        if [reference != nil, against != nil, sums].count(where: { $0 }) != 1 {
            throw ValidationError("give one of --reference, --against and --sums")
        }
        if against == nil && (input.text != nil || input.file != nil || window != nil) {
            throw ValidationError("a text and --window are for --against; a reference holds its own tokens")
        }
        if let window, window < 1 { throw ValidationError("--window is \(window); a number from 1 on is expected") }
        if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
            throw ValidationError("--tolerance is \(tolerance); a number from 0 on is expected")
        }
        if sums && tolerance != nil { throw ValidationError("--tolerance is not for --sums") }
    }

    func run() throws {
        if sums { return try VerifySums(path: options.path(), json: options.json).run() }
        if let against {
            let text = try input.read()
            return try VerifyAgainst(
                options: options, original: against, text: text, window: window, tolerance: tolerance
            ).run()
        }
        if let reference { try compare(reference) }
    }

    private func compare(_ reference: String) throws {
        let file = try Safetensors(path: reference)
        let (model, _) = try options.open()
        let result = try Verification(
            model: model, reference: file, tolerance: tolerance ?? (options.precision == .exact ? 1e-3 : 5e-2))
        if options.json { try Output.json(Report(result)) } else { try printTable(result) }
        if !result.passed { throw ExitCode(1) }
    }

    private func printTable(_ result: Verification) throws {
        try Output.print("output".padded(to: 20) + "rows   max |diff|  mean |diff|   largest   same first choice\n")
        for output in result.outputs {
            var line = output.name.padded(to: 20) + String(output.rows).leftPadded(to: 4)
            if output.name != "greedy" {
                line +=
                    scientific(output.maxAbsDiff).leftPadded(to: 13) + scientific(output.meanAbsDiff).leftPadded(to: 13)
                line += output.maxAbsReference.fixed(3).leftPadded(to: 10)
            }
            if let agreement = output.agreement { line += "   " + (agreement * 100).fixed(1) + " %" }
            if let row = output.firstBadRow { line += "   differs from row \(row) on" }
            try Output.print(line + "\n")
        }
        if !result.skipped.isEmpty {
            try Output.print(
                "Not compared, as the model's files hold nothing that gives it: \(result.skipped.joined(separator: ", ")).\n"
            )
        }
        let verdict = result.passed ? "holds" : "does NOT hold"
        try Output.print("The reference \(verdict) at a tolerance of \(result.tolerance) times its largest.\n")
        if let layer = result.firstBadLayer {
            try Output.print("The first layer that diverges: \(layer)\(layer == 0 ? ", the stem" : "").\n")
        }
    }

    private func scientific(_ value: Double) -> String { value == 0 ? "0" : value.scientific }
}

/// What `verify --json` prints; the keys at the top speak of the worst output.
private struct Report: Encodable {
    struct Output: Encodable {
        let name: String
        let rows: Int
        let max_abs_diff: Double
        let mean_abs_diff: Double
        let max_abs_reference: Double
        let argmax_agreement: Double?
        let first_bad_row: Int?
        let passed: Bool

        init(_ output: Verification.Output) {
            name = output.name
            rows = output.rows
            max_abs_diff = output.maxAbsDiff
            mean_abs_diff = output.meanAbsDiff
            max_abs_reference = output.maxAbsReference
            argmax_agreement = output.agreement
            first_bad_row = output.firstBadRow
            passed = output.passed
        }
    }

    let worst: Output?
    let outputs: [Output]
    /// Outputs of the reference that the model's files cannot give.
    let skipped: [String]
    let rows: Int
    let agreement: Double?
    let firstBadRow: Int?
    let firstBadLayer: Int?
    let tolerance: Double
    let passed: Bool

    init(_ result: Verification) {
        outputs = result.outputs.map(Output.init)
        skipped = result.skipped
        worst = result.worst.map(Output.init)
        rows = result.outputs.filter { $0.name != "greedy" }.map(\.rows).max() ?? 0
        agreement = result.outputs.compactMap(\.agreement).min()
        firstBadRow =
            result.outputs.filter { $0.name != "greedy" }.compactMap(\.firstBadRow).min()
            ?? result.outputs.compactMap(\.firstBadRow).min()
        firstBadLayer = result.firstBadLayer
        tolerance = result.tolerance
        passed = result.passed
    }

    private enum Key: String, CodingKey {
        case max_abs_diff, mean_abs_diff, max_abs_reference, argmax_agreement, rows, first_bad_row, first_bad_layer,
            passed
        case tolerance, outputs, skipped
    }

    /// Keys without a value are there, as null.
    func encode(to encoder: any Swift.Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(worst?.max_abs_diff, forKey: .max_abs_diff)
        try container.encode(worst?.mean_abs_diff, forKey: .mean_abs_diff)
        try container.encode(worst?.max_abs_reference, forKey: .max_abs_reference)
        try container.encode(agreement, forKey: .argmax_agreement)
        try container.encode(rows, forKey: .rows)
        try container.encode(firstBadRow, forKey: .first_bad_row)
        try container.encode(firstBadLayer, forKey: .first_bad_layer)
        try container.encode(passed, forKey: .passed)
        try container.encode(tolerance, forKey: .tolerance)
        try container.encode(outputs, forKey: .outputs)
        try container.encode(skipped, forKey: .skipped)
    }
}
