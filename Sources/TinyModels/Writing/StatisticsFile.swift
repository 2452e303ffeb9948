import TinyLoader
import TinyTensor

extension WrittenModel {
    /// Writes statistics of activations: for each tensor a row of sums of squares and a count for each of its matrices.
    package static func statistics(
        _ sums: [(name: String, matrices: Int, columns: Int, squares: [Float], counts: [Float])], tokens: Int,
        window: Int,
        to path: String, replacing: Bool, inputs: [String]
    ) throws -> WrittenModel {
        let pool = ThreadPool(threadCount: 1)
        func tensor(_ name: String, _ rows: Int, _ columns: Int, _ values: [Float]) -> TensorOutput {
            TensorOutput(name: name, shape: [rows, columns], type: .f32, rows: rows, columns: columns, pool: pool) {
                Matrix(floats: values, columns: columns)
            }
        }
        let tensors = sums.flatMap { sum in
            [
                tensor(sum.name + ".in_sum2", sum.matrices, sum.columns, sum.squares),
                tensor(sum.name + ".counts", sum.matrices, 1, sum.counts),
            ]
        }
        let plan = GGUFPlan(
            metadata: [
                .string("general.type", "imatrix"), .strings("imatrix.datasets", []),
                .integer("imatrix.chunk_count", (tokens + window - 1) / window), .integer("imatrix.chunk_size", window),
            ],
            tensors: tensors.map { output in
                GGUFPlan.Tensor(name: output.name, shape: output.shape, content: output.content) {
                    Matrix(floats: [], columns: 1)
                }
            }, architecture: "", layers: 0, experts: 0)
        return try plan.write(tensors, to: path, replacing: replacing, inputs: inputs, progress: nil)
    }
}
