import ArgumentParser
import TinyGPT

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare a model's outputs with a reference.",
        discussion: """
            The reference is a safetensors file with token_ids (and token_type_ids or pixel_values) and any of logits, \
            hidden.N, last_hidden_state, greedy, pooler_output, text_embeds and image_embeds. It holds if every row's first choice is equal and nothing differs by more than the tolerance times the \
            reference's largest; if not, the exit code is 1.
            """)

    @OptionGroup var options: ModelOptions

    @Option(help: ArgumentHelp("The reference outputs.", valueName: "path"))
    var reference: String

    @Option(
        help: ArgumentHelp(
            "Largest difference, as a part of the reference's largest; 0.001, or 0.05 with --precision fast.",
            valueName: "x"))
    var tolerance: Double?

    func validate() throws {
        if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
            throw ValidationError("--tolerance is \(tolerance); a number from 0 on is expected")
        }
    }

    func run() throws {
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
    func encode(to encoder: any Encoder) throws {
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
