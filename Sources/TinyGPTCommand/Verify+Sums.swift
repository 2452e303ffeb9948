import TinyGPT

/// `verify --sums`: a fingerprint of every tensor.
struct VerifySums {
    let path: String
    let json: Bool

    func run() throws {
        let checkpoint = try Checkpoint(path: path)
        let progress = Progress()
        let clock = RemainingTime()
        let total = checkpoint.index.tensors.reduce(0) { $0 + $1.byteCount }
        var done = 0
        var tensors: [Report.Tensor] = []
        for tensor in checkpoint.index.tensors {
            progress.show("\(size(done)) of \(size(total))" + clock.text(done, of: total))
            tensors.append(
                Report.Tensor(
                    name: tensor.name, type: tensor.content.name, shape: tensor.shape, bytes: tensor.byteCount,
                    sha256: try Fingerprint(tensor.bytes).text))
            done += tensor.byteCount
        }
        progress.clear()
        let report = Report(tensors: tensors, bytes: total, sha256: try sum(of: tensors))
        if json { try Output.json(report) } else { try printTable(report) }
    }

    /// Of a line for each tensor, its name, type, shape and sum, in the order of the names' bytes: whatever file a tensor
    /// lies in, and in whatever order.
    private func sum(of tensors: [Report.Tensor]) throws -> String {
        let lines = tensors.map { tensor in
            "\(tensor.name) \(tensor.type) \(tensor.shape.map(String.init).joined(separator: "x")) \(tensor.sha256)\n"
        }
        let ordered = lines.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return try Array(ordered.joined().utf8).withUnsafeBytes { try Fingerprint($0).text }
    }

    private func printTable(_ report: Report) throws {
        let width = report.tensors.map { $0.name.visible.count + 1 }.max() ?? 0
        for tensor in report.tensors {
            let shape = tensor.shape.map(String.init).joined(separator: " × ")
            try Output.print(
                "\(tensor.sha256)  " + tensor.name.visible.padded(to: width) + tensor.type.padded(to: 8) + shape + "\n")
        }
        try Output.print("\(report.sha256)  all \(report.tensors.count) tensors, \(size(report.bytes))\n")
    }

    struct Report: Encodable {
        struct Tensor: Encodable {
            let name: String
            let type: String
            let shape: [Int]
            let bytes: Int
            let sha256: String
        }

        let tensors: [Tensor]
        let bytes: Int
        let sha256: String
    }
}
