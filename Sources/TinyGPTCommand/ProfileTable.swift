import TinyGPT
import TinyRunner

/// A profile for people.
struct ProfileTable {
    private let result: ProfileRun.Result
    private let showsLayers: Bool
    private let showsThreads: Bool

    init(_ result: ProfileRun.Result, showsLayers: Bool, showsThreads: Bool) {
        self.result = result
        (self.showsLayers, self.showsThreads) = (showsLayers, showsThreads)
    }

    func text(machine: String) -> String {
        let limits = result.limits
        var lines = [
            machine,
            "The machine's limits: reads \((limits.readBytesPerSecond / 1e9).fixed(1)) GB/s; "
                + limits.units.map { "\($0.name) \(($0.operationsPerSecond / 1e9).fixed(0)) GFLOP/s" }
                .joined(separator: ", "),
        ]
        lines += section(
            "Prompt of \(result.promptTokens) tokens", result.report.prompt, result.prompt, tokens: result.promptTokens)
        if result.generateTokens > 0 {
            lines += section(
                "Decoding \(result.generateTokens) tokens", result.report.decode, result.decode,
                tokens: result.generateTokens)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(
        _ title: String, _ section: ProfileReport.Section, _ overhead: ProfileRun.Overhead, tokens: Int
    ) -> [String] {
        let speed = section.wallSeconds > 0 ? Double(tokens) / section.wallSeconds : 0
        var lines = [
            "", "\(title): \((section.wallSeconds * 1e3).fixed(2)) ms, \(speed.fixed(1)) tokens/s",
            "kernel".padded(to: 30)
                + ["calls", "ms", "share", "MB", "GFLOP", "GB/s", "GFLOP/s"].map { $0.leftPadded(to: 10) }.joined()
                + "  of the limit",
        ]
        lines += section.kernels.map { line($0, wall: section.wallSeconds) }
        lines.append(plain("unexplained", section.unexplainedSeconds, section.wallSeconds))
        lines.append(plain("wall", section.wallSeconds, section.wallSeconds))
        lines.append(
            "Profiling took \((overhead.share * 100).fixed(1)) % more time: \((overhead.seconds * 1e3).fixed(2)) ms without, "
                + "\((overhead.profiledSeconds * 1e3).fixed(2)) ms with, medians.")
        if showsLayers {
            lines += ["", "layer          ms     share   of which"]
            lines += section.layers.map { layer in
                let most = layer.kernels.prefix(4).map { "\($0.name) \(percent($0.seconds, layer.wallSeconds))" }
                return (layer.layer.map(String.init) ?? "outside").padded(to: 8)
                    + (layer.wallSeconds * 1e3).fixed(3).leftPadded(to: 9)
                    + percent(layer.wallSeconds, section.wallSeconds).leftPadded(to: 10) + "   "
                    + most.joined(separator: ", ")
            }
        }
        if showsThreads {
            lines += ["", "thread    busy ms      idle ms   of which"]
            lines += section.threads.map { thread in
                let most = thread.kernels.prefix(4).map { "\($0.name) \(percent($0.seconds, section.wallSeconds))" }
                return "\(thread.thread)".padded(to: 6) + (thread.busySeconds * 1e3).fixed(3).leftPadded(to: 11)
                    + (thread.idleSeconds * 1e3).fixed(3).leftPadded(to: 13) + "   " + most.joined(separator: ", ")
            }
        }
        return lines
    }

    private func line(_ kernel: ProfileReport.Kernel, wall: Double) -> String {
        var line = kernel.name.padded(to: 30) + String(kernel.calls).leftPadded(to: 10)
        line += (kernel.seconds * 1e3).fixed(3).leftPadded(to: 10) + percent(kernel.seconds, wall).leftPadded(to: 10)
        if kernel.bytes == 0 && kernel.operations == 0 { return line }
        line += [
            (kernel.bytes / 1e6).fixed(1), (kernel.operations / 1e9).fixed(3), (kernel.bytesPerSecond / 1e9).fixed(1),
            (kernel.operationsPerSecond / 1e9).fixed(1),
        ].map { $0.leftPadded(to: 10) }.joined()
        if let (share, isMemory) = kernel.share(of: result.limits) {
            line += "  \((share * 100).fixed(0)) % of \(isMemory ? "memory" : "arithmetic")"
        }
        return line
    }

    private func plain(_ name: String, _ seconds: Double, _ wall: Double) -> String {
        name.padded(to: 40) + (seconds * 1e3).fixed(3).leftPadded(to: 10) + percent(seconds, wall).leftPadded(to: 10)
    }

    private func percent(_ part: Double, _ whole: Double) -> String {
        "\((whole > 0 ? part / whole * 100 : 0).fixed(1)) %"
    }
}
