import TinyGPT
import TinyRunner

/// What `profile --json` prints.
struct ProfileJSON: Encodable {
    struct Kernel: Encodable {
        let name: String
        let calls: Int
        let seconds: Double
        let share: Double
        let waiting_seconds: Double
        let bytes: Double
        let flops: Double
        let bytes_per_second: Double
        let flops_per_second: Double
        /// The larger part of what the machine can do, and of what.
        let limit_share: Double?
        let limited_by: String?

        init(_ kernel: ProfileReport.Kernel, wall: Double, _ limits: MachineLimits) {
            name = kernel.name
            calls = kernel.calls
            seconds = kernel.seconds
            share = wall > 0 ? kernel.seconds / wall : 0
            waiting_seconds = kernel.waitingSeconds
            bytes = kernel.bytes
            flops = kernel.operations
            bytes_per_second = kernel.bytesPerSecond
            flops_per_second = kernel.operationsPerSecond
            let limit = kernel.share(of: limits)
            limit_share = limit?.share
            limited_by = limit.map { $0.isMemory ? "memory" : "arithmetic" }
        }
    }

    struct Layer: Encodable {
        /// null: outside of layers.
        let layer: Int?
        let wall_seconds: Double
        let unexplained_seconds: Double
        let kernels: [Kernel]

        private enum Key: String, CodingKey { case layer, wall_seconds, unexplained_seconds, kernels }

        func encode(to encoder: any Swift.Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(layer, forKey: .layer)
            try container.encode(wall_seconds, forKey: .wall_seconds)
            try container.encode(unexplained_seconds, forKey: .unexplained_seconds)
            try container.encode(kernels, forKey: .kernels)
        }

        init(_ layer: ProfileReport.Layer, _ limits: MachineLimits) {
            self.layer = layer.layer
            wall_seconds = layer.wallSeconds
            unexplained_seconds = layer.unexplainedSeconds
            kernels = layer.kernels.map { Kernel($0, wall: layer.wallSeconds, limits) }
        }
    }

    struct Thread: Encodable {
        struct Part: Encodable {
            let name: String
            let seconds: Double
        }

        let thread: Int
        let busy_seconds: Double
        let idle_seconds: Double
        let kernels: [Part]

        init(_ thread: ProfileReport.Thread) {
            self.thread = thread.thread
            busy_seconds = thread.busySeconds
            idle_seconds = thread.idleSeconds
            kernels = thread.kernels.map { Part(name: $0.name, seconds: $0.seconds) }
        }
    }

    struct Overhead: Encodable {
        let seconds: Double
        let profiled_seconds: Double
        let share: Double

        init(_ overhead: ProfileRun.Overhead) {
            (seconds, profiled_seconds, share) = (overhead.seconds, overhead.profiledSeconds, overhead.share)
        }
    }

    struct Section: Encodable {
        let tokens: Int
        let passes: Int
        let wall_seconds: Double
        let unexplained_seconds: Double
        let kernels: [Kernel]
        let layers: [Layer]
        let threads: [Thread]
        let overhead: Overhead

        init(
            _ section: ProfileReport.Section, tokens: Int, _ overhead: ProfileRun.Overhead, _ limits: MachineLimits
        ) {
            self.tokens = tokens
            passes = section.passes
            wall_seconds = section.wallSeconds
            unexplained_seconds = section.unexplainedSeconds
            kernels = section.kernels.map { Kernel($0, wall: section.wallSeconds, limits) }
            layers = section.layers.map { Layer($0, limits) }
            threads = section.threads.map(Thread.init)
            self.overhead = Overhead(overhead)
        }
    }

    struct Limits: Encodable {
        struct Unit: Encodable {
            let name: String
            let flops_per_second: Double
        }

        let read_bytes_per_second: Double
        let flops_per_second: Double
        let units: [Unit]
    }

    let prompt: Section
    let decode: Section
    let limits: Limits
    let machine: String
    let isa: String
    let threads: Int
    let load_seconds: Double

    init(_ result: ProfileRun.Result, _ model: Model, loadSeconds: Double) {
        prompt = Section(result.report.prompt, tokens: result.promptTokens, result.prompt, result.limits)
        decode = Section(result.report.decode, tokens: result.generateTokens, result.decode, result.limits)
        limits = Limits(
            read_bytes_per_second: result.limits.readBytesPerSecond,
            flops_per_second: result.limits.operationsPerSecond,
            units: result.limits.units.map { .init(name: $0.name, flops_per_second: $0.operationsPerSecond) })
        machine = processorName()
        isa = model.instructionSet
        threads = model.threads
        load_seconds = loadSeconds
    }
}
