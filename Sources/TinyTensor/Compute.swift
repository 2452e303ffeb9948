/// How numbers are computed: on what kernels, by how many threads, how exactly. Shared by everything that runs a model.
package final class Compute: Sendable {
    package let kernels: CPU.Kernels
    package let pool: ThreadPool
    package let precision: Precision
    /// Where time is written down, if it is.
    package let recording: Recording?
    private let recorder: Recorder?
    let weightMemory = WeightMemory()

    /// - Parameter threads: how many threads; the cores this process may use, if nil.
    package init(precision: Precision, threads: Int? = nil, kernels: CPU.Kernels) {
        self.precision = precision
        self.kernels = kernels
        pool = ThreadPool(threadCount: max(1, threads ?? CPU.coreCount))
        (recording, recorder) = (nil, nil)
    }

    package convenience init(precision: Precision, threads: Int? = nil) throws(CPUError) {
        self.init(precision: precision, threads: threads, kernels: try CPU.kernels())
    }

    /// One that computes as another does and writes down where time goes.
    init(_ other: Compute, recorder: Recorder) {
        precision = other.precision
        kernels = recorder.kernels
        pool = ThreadPool(threadCount: other.pool.threadCount, recorder: recorder)
        recording = recorder.recording
        self.recorder = recorder
    }
}

/// How exactly to compute.
public enum Precision: String, CaseIterable, Sendable {
    /// Weights are expanded to floats, and all arithmetic is on float activations: what the project is held to.
    case exact
    /// Activations are rounded to 15 bits for products with quantized weights, and keys and values are held as halves. With
    /// AMX, prompts are multiplied in bf16 where weights are quantized or in bf16 themselves; with AVX-512 or AVX2 alone, most
    /// activations of a prompt have 8 bits where weights are in Q4_0, Q4_1, Q4_K or fewer bits. Other products are on floats.
    case fast
}

/// What a product is for. The kernel is chosen by this and the element type, never by the number of rows.
package enum Phase: Sendable {
    /// Reading a prompt: many rows at a time.
    case prompt
    /// One new token.
    case decode
}
