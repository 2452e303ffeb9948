import TinyLayers
import TinyLoader
public import TinyModels
import TinyTensor
import TinyTokenizer

/// How much each input of a model's matrices counts: the sum of its squares over a text, and how many were summed.
///
///     sum[i] = Σₜ x[t][i]²         x: what a matrix is multiplied by, a row for each token
///
/// Written as llama.cpp's `llama-imatrix` does it: `NAME.in_sum2` and `NAME.counts`, a row for each expert.
public struct ActivationStatistics {
    private final class Sums {
        let matrices: Int
        let columns: Int
        var squares: [Double]
        var counts: [Int]

        init(matrices: Int, columns: Int) {
            (self.matrices, self.columns) = (matrices, columns)
            squares = [Double](repeating: 0, count: matrices * columns)
            counts = [Int](repeating: 0, count: matrices)
        }

        func add(_ rows: Rows, matrix: Int) {
            counts[matrix] += rows.count
            let first = matrix * columns
            squares.withUnsafeMutableBufferPointer { squares in
                for t in 0..<rows.count {
                    let row = rows[t]
                    for i in 0..<columns { squares[first + i] += Double(row[i] * row[i]) }
                }
            }
        }
    }

    /// Tokens that were read.
    public let tokens: Int
    private let path: String
    private let window: Int
    private let sums: [(name: String, sums: Sums)]

    /// Reads a text in windows, one behind the other.
    ///
    /// - Parameters:
    ///   - path: the model; its own precision makes the activations what they will be.
    ///   - window: tokens of a window; 512, or the model's context if that is less, if nil.
    ///   - onProgress: told how many of all tokens have been read.
    /// - Throws: what opening a model throws; `RunnerError.noTokens` for an empty text.
    public init(
        of path: String, text: String, window: Int? = nil, threads: Int? = nil,
        onProgress: (_ read: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        let names = try Recipe(checkpoint: Checkpoint(path: path)).ggufNames()
        var places: [UnsafeRawPointer: (sums: Sums, matrix: Int)] = [:]
        var known: [String: Sums] = [:]
        var order: [(name: String, sums: Sums)] = []
        let model = try Model(at: path, precision: .exact, threads: threads) { slot, weights in
            // The head is left to the rules for it, as elsewhere; parts of one tensor have the same inputs, once.
            guard let (name, matrix, count) = names(slot), name != "output.weight", name != "token_embd.weight",
                let place = weights.place
            else { return }
            if known[name] == nil {
                let sums = Sums(matrices: count, columns: weights.columns)
                known[name] = sums
                order.append((name, sums))
            } else if count == 1 {
                return
            }
            if let sums = known[name], sums.columns == weights.columns { places[place] = (sums, matrix) }
        }
        let ids = try model.tokenizer.encode(text)
        guard !ids.isEmpty else { throw RunnerError.noTokens }
        let opening = try model.tokenizer.opening
        let length = min(window ?? min(512, model.contextLimit ?? 512), model.contextLimit ?? .max)
        guard length > opening.count else {
            throw RunnerError.badParameter(
                name: "window", value: "\(length)", expected: "a number above \(opening.count)")
        }
        var decoder = Decoder(model: model, capacity: length)
        decoder.observe { rows, weights in
            guard let (sums, matrix) = weights.place.flatMap({ places[$0] }) else { return }
            sums.add(rows, matrix: matrix)
        }
        var read = 0
        while read < ids.count {
            let end = min(ids.count, read + length - opening.count)
            try decoder.truncate(to: 0)
            try decoder.read(opening + ids[read..<end]) { _ in }
            read = end
            onProgress(read, ids.count)
        }
        (tokens, self.path, self.window, sums) = (ids.count, path, length, order)
    }

    /// Writes the file; `replacing` as `Quantization.write`.
    @discardableResult
    public func write(to path: String, replacing: Bool = false) throws -> WrittenModel {
        try WrittenModel.statistics(
            sums.map { name, sums in
                (name, sums.matrices, sums.columns, sums.squares.map { Float($0) }, sums.counts.map { Float($0) })
            }, tokens: tokens, window: window, to: path, replacing: replacing, inputs: [self.path])
    }
}
