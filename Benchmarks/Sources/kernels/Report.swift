import Foundation

/// Shows results as they come, as a table, or all at the end as one JSON object.
final class Report {
    private struct Result: Encodable {
        struct Spread: Encodable {
            let median, least, most: Double

            init(_ values: [Double]) {
                (median, least, most) = (values.median, values.min() ?? 0, values.max() ?? 0)
            }
        }

        let measure, unit: String
        let labels: [String: String]
        let rate: Spread
        let limit: Spread?
        let limit_name: String
        let share_of_limit: Double?
    }

    private let asJSON: Bool
    private var results: [Result] = []
    private var (measure, unit) = ("", "")
    private var columns: [String] = []

    init(asJSON: Bool) { self.asJSON = asJSON }

    func begin(_ measure: String, _ columns: [String], unit: String) {
        (self.measure, self.unit, self.columns) = (measure, unit, columns)
        if asJSON { return }
        print("\n\(measure): \(unit)\n")
        line(columns + ["median", "least", "most", "limit", "share", "of"])
    }

    func add(_ cases: [Case]) {
        for it in cases {
            let result = Result(
                measure: measure, unit: unit, labels: Dictionary(uniqueKeysWithValues: zip(columns, it.labels)),
                rate: .init(it.rates), limit: it.limits.isEmpty ? nil : .init(it.limits), limit_name: it.limitName,
                share_of_limit: it.limits.isEmpty ? nil : it.shares.median)
            results.append(result)
            if asJSON { continue }
            let rates = [result.rate.median, result.rate.least, result.rate.most].map { short($0) }
            let limit = result.limit.map { short($0.median) } ?? "-"
            let share = result.share_of_limit.map { "\(Int($0 * 100 + 0.5)) %" } ?? "-"
            line(it.labels + rates + [limit, share, it.limitName])
        }
    }

    func note(_ text: String) { FileHandle.standardError.write(Data("kernels: \(text)\n".utf8)) }

    func finish() throws {
        guard asJSON else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(["results": results]), as: UTF8.self))
    }

    private func line(_ fields: [String]) {
        let padded = fields.enumerated().map { index, field in
            let width = index == columns.count - 1 ? 12 : 9
            if index == columns.count + 5 { return " " + field }
            let space = String(repeating: " ", count: max(1, width - field.count))
            // Words stand left, numbers right.
            return index < columns.count ? field + space + " " : space + field
        }
        print(padded.joined())
        fflush(nil)
    }

    private func short(_ value: Double) -> String {
        String(format: value < 1 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value)
    }
}
