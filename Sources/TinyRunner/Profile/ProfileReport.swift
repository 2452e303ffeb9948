public import TinyTensor

/// Where time went. In each section the seconds of `kernels` and `unexplainedSeconds` sum to `wallSeconds`: they are the
/// calling thread's, which has a part in all that is done and waits for the others.
public struct ProfileReport: Sendable {
    public let prompt: Section
    public let decode: Section

    public struct Section: Sendable {
        public let wallSeconds: Double
        /// Outside of layers and of all that is looked at.
        public let unexplainedSeconds: Double
        /// Passes through the layers: tokens where they are decoded, chunks where a prompt is read.
        public let passes: Int
        /// The longest first.
        public let kernels: [Kernel]
        /// In their order; the last is what is outside of layers.
        public let layers: [Layer]
        /// The calling thread first.
        public let threads: [Thread]

        /// The part of the wall time that kernels and the like explain, 0 to 1.
        public var explained: Double { wallSeconds > 0 ? 1 - unexplainedSeconds / wallSeconds : 1 }
    }

    /// A kernel, on all that it was used for alike.
    public struct Kernel: Sendable {
        /// "matmul Q4_1 576x1536", inputs by outputs; "norm", "rotation"; "waiting"; "between kernels", what the calling
        /// thread does in layers besides: choosing kernels and sharing out their work.
        public let name: String
        /// A product counts once, however many threads share it; others count each row, head or tile.
        public let calls: Int
        /// Of the calling thread.
        public let seconds: Double
        /// Of the calling thread's waiting, what was at the end of regions that this took most of. Others did their parts
        /// of it meanwhile, so that rates are over both.
        public let waitingSeconds: Double
        /// That it asked for, of all threads: weights, activations and results, wherever they came from.
        public let bytes: Double
        /// Of all threads. Products: 2 · T · inputs · outputs; scores: 4 · d for each query and token that it sees; norms 4
        /// a number, LayerNorm 8, a rotation 6 a pair, activations 4 or with a gate 5, sums 1; e^x counts as one.
        public let operations: Double
        let use: MachineLimits.Use

        public var bytesPerSecond: Double { rate(bytes) }
        public var operationsPerSecond: Double { rate(operations) }

        private func rate(_ amount: Double) -> Double {
            let time = seconds + waitingSeconds
            return time > 0 ? amount / time : 0
        }

        /// How much of what the machine can do: the larger of the two, and which it is. Above 1 where weights stay in a cache
        /// that is faster than memory. nil where there is nothing to go by.
        public func share(of limits: MachineLimits) -> (share: Double, isMemory: Bool)? {
            let peak = limits.unit(of: use)?.operationsPerSecond ?? 0
            let memory = limits.readBytesPerSecond > 0 ? bytesPerSecond / limits.readBytesPerSecond : 0
            let arithmetic = peak > 0 ? operationsPerSecond / peak : 0
            if memory == 0 && arithmetic == 0 { return nil }
            return memory >= arithmetic ? (memory, true) : (arithmetic, false)
        }
    }

    public struct Layer: Sendable {
        /// nil: outside of layers.
        public let layer: Int?
        public let wallSeconds: Double
        public let unexplainedSeconds: Double
        public let kernels: [Kernel]
    }

    public struct Thread: Sendable {
        /// 0 is the calling thread.
        public let thread: Int
        /// In kernels, sampling and so on.
        public let busySeconds: Double
        /// The rest of the section's wall time: waiting, and on the calling thread what is unexplained.
        public let idleSeconds: Double
        /// Seconds are this thread's.
        public let kernels: [Kernel]
    }
}
