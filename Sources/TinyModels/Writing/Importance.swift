package import TinyLoader
import TinyTensor

/// How much each input of a model's matrices counts: the mean of its squares over a text, from a file such as
/// `tinygpt imatrix` or llama.cpp writes.
package struct Importance: Sendable {
    package let file: String
    private let values: [String: [[Float]]]

    /// - Throws: `FormatError` for a file that holds something else.
    package init(path: String) throws(FormatError) {
        let gguf = try GGUF(path: path)
        file = path
        guard try gguf.metadata.string("general.type") == "imatrix" else {
            throw FormatError(
                .unknownFormat, file: path, name: "general.type",
                "is not \"imatrix\"; a file of activation statistics is expected here")
        }
        var values: [String: [[Float]]] = [:]
        for sums in gguf.index.tensors where sums.name.hasSuffix(".in_sum2") {
            let name = String(sums.name.dropLast(".in_sum2".count))
            guard let counts = gguf.index[name + ".counts"] else {
                throw FormatError(.missing, file: path, name: name + ".counts", "is not there")
            }
            let (squares, numbers) = (try sums.matrix(), try counts.matrix().floats())
            guard squares.rows == numbers.count else {
                throw sums.error(.malformed, "has \(squares.rows) rows for \(numbers.count) counts")
            }
            let floats = squares.floats()
            guard floats.allSatisfy({ $0.isFinite && $0 >= 0 }), numbers.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
                throw sums.error(.malformed, "has a sum of squares or a count that is negative or not finite")
            }
            values[name] = numbers.indices.map { row in
                // What was never chosen counts the same everywhere.
                numbers[row] == 0
                    ? [Float](repeating: 1, count: squares.columns)
                    : floats[row * squares.columns..<(row + 1) * squares.columns].map { $0 / numbers[row] }
            }
            guard values[name]?.allSatisfy({ $0.allSatisfy(\.isFinite) }) == true else {
                throw sums.error(.malformed, "has a sum of squares that is too large for its count")
            }
        }
        guard !values.isEmpty else { throw FormatError(.missing, file: path, "holds no statistics (NAME.in_sum2)") }
        self.values = values
    }

    /// For a tensor of this shape, of each of its matrices; nil if the file knows nothing of it.
    package func values(for name: String, shape: [Int]) throws(FormatError) -> [[Float]]? {
        guard let values = values[name] else { return nil }
        let columns = shape.last ?? 0
        let matrices = shape.dropLast(2).reduce(1, *)
        guard values.allSatisfy({ $0.count == columns }), values.count == 1 || values.count == matrices else {
            throw FormatError(
                .malformed, file: file, name: name,
                "has statistics of \(values.count) × \(values.first?.count ?? 0); the tensor's shape is \(shape)")
        }
        return values
    }
}
