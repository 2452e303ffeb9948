import TinyTensor

/// Exact search: the product of every vector with the query, by the kernels that multiply models' weights.
///
///     score[j] = Σ_i vector[j][i] · query[i]
///
/// Vectors are handed in one after the other and multiplied a block at a time, so memory does not grow with their number.
final class Ranking {
    struct Candidate: Equatable {
        let id: Int64
        let score: Float
    }

    /// Vectors in a block: some megabytes of them.
    private let capacity: Int
    private let width: Int
    private let compute: Compute
    private let scratch: MatMulScratch
    private let query: RowBuffer
    private let scores: RowBuffer
    private let block: Storage
    private let memory: UnsafeMutableRawBufferPointer
    private var ids: [Int64] = []
    private var best: BestCandidates
    /// The first vector whose score is no number.
    private(set) var invalid: Int64?

    /// - Parameters:
    ///   - query: `[D]`, of unit length, as all vectors must be.
    ///   - top: how many candidates to keep.
    init(query: [Float], top: Int, compute: Compute) {
        width = query.count
        capacity = max(1, min(4096, (8 << 20) / max(1, 4 * width)))
        self.compute = compute
        scratch = MatMulScratch(inputs: width, rows: 1, threads: compute.pool.threadCount)
        self.query = RowBuffer(capacity: width)
        self.query.base.update(from: query, count: width)
        scores = RowBuffer(capacity: capacity)
        memory = .allocate(byteCount: capacity * width * 4, alignment: 64)
        block = Storage(UnsafeRawBufferPointer(memory)) { $0.deallocate() }
        best = BestCandidates(capacity: top)
    }

    /// - Precondition: a vector has `4 · D` bytes: floats, little-endian, as every machine that runs this has them.
    func add(_ id: Int64, _ vector: UnsafeRawBufferPointer) {
        precondition(vector.count == width * 4, "a vector of \(vector.count) bytes among those of \(width * 4)")
        UnsafeMutableRawBufferPointer(rebasing: memory[(ids.count * width * 4)...]).copyMemory(from: vector)
        ids.append(id)
        if ids.count == capacity { multiply() }
    }

    /// The candidates with the highest scores, the highest first; of equals the one with the lower id.
    func finish() -> [Candidate] {
        multiply()
        return best.sorted
    }

    private func multiply() {
        if ids.isEmpty { return }
        let vectors = Matrix(type: .f32, rows: ids.count, columns: width, storage: block)
        let y = scores.rows(1, width: ids.count)
        compute.multiply(
            query.rows(1, width: width), by: Product(Weights(matrix: vectors), into: y), phase: .decode,
            scratch: scratch)
        for (id, score) in zip(ids, UnsafeBufferPointer(start: y.base, count: ids.count)) {
            if score.isFinite { best.add(Candidate(id: id, score: score)) } else if invalid == nil { invalid = id }
        }
        ids.removeAll(keepingCapacity: true)
    }
}

/// The few best of many candidates: a heap whose root is the worst of them.
struct BestCandidates {
    private let capacity: Int
    private var heap: [Ranking.Candidate] = []

    init(capacity: Int) { self.capacity = capacity }

    var sorted: [Ranking.Candidate] { heap.sorted { Self.isWorse($1, $0) } }

    private static func isWorse(_ a: Ranking.Candidate, _ b: Ranking.Candidate) -> Bool {
        a.score != b.score ? a.score < b.score : a.id > b.id
    }

    mutating func add(_ candidate: Ranking.Candidate) {
        if heap.count < capacity {
            heap.append(candidate)
            var index = heap.count - 1
            while index > 0, Self.isWorse(heap[index], heap[(index - 1) / 2]) {
                heap.swapAt(index, (index - 1) / 2)
                index = (index - 1) / 2
            }
        } else if let worst = heap.first, Self.isWorse(worst, candidate) {
            heap[0] = candidate
            var index = 0
            while true {
                var least = index
                for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                    if Self.isWorse(heap[child], heap[least]) { least = child }
                }
                if least == index { break }
                heap.swapAt(index, least)
                index = least
            }
        }
    }
}
