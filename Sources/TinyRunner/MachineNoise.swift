import CTinyKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How still a machine was while something was measured: a loop that always does the same, timed before and after each
/// repetition; the spread of the repetitions; and on Linux the time that the host and other processes took.
package struct MachineNoise: Sendable {
    /// Seconds of each run of the loop.
    package private(set) var calibrations: [Double] = []
    /// The slowest run of the loop to the fastest, less one.
    package var calibrationSpread: Double {
        guard let least = calibrations.min(), let most = calibrations.max(), least > 0 else { return 0 }
        return most / least - 1
    }
    /// (Most − least) / median of the repetitions.
    package private(set) var spread = 0.0
    /// Of the machine's time: what the host gave to others, and what other processes used. nil where nothing says so, and
    /// where less than a second of all cores passed: the system counts in hundredths.
    package private(set) var steal: Double?
    package private(set) var others: Double?
    private let start = ProcessorTimes.now

    // What makes a figure hard to believe.
    private static let mostCalibrationSpread = 0.15
    private static let mostSpread = 0.2
    private static let mostSteal = 0.02
    private static let mostOthers = 0.1

    init() { calibrate() }

    /// Times the loop once more.
    mutating func calibrate() {
        let begin = tk_nanoseconds()
        tk_same_work(1_000_000)
        calibrations.append(Double(tk_nanoseconds() - begin) * 1e-9)
    }

    mutating func finish(speeds: [Double]) {
        let middle = median(speeds)
        if middle > 0, let least = speeds.min(), let most = speeds.max() { spread = (most - least) / middle }
        guard let start, let end = ProcessorTimes.now, end.all - start.all >= 1 else { return }
        let all = end.all - start.all
        steal = (end.steal - start.steal) / all
        others = max(0, (end.busy - start.busy) - (end.own - start.own)) / all
    }

    /// Why the figure is not to be believed, each with its number; empty if it is.
    package var complaints: [String] {
        func percent(_ value: Double) -> String { "\(Int((value * 100).rounded())) %" }
        var found: [String] = []
        if spread > Self.mostSpread { found.append("repetitions differ by \(percent(spread))") }
        if calibrationSpread > Self.mostCalibrationSpread {
            found.append("a loop that always does the same differed by \(percent(calibrationSpread))")
        }
        if let steal, steal > Self.mostSteal { found.append("the host gave \(percent(steal)) of the time to others") }
        if let others, others > Self.mostOthers {
            found.append("other processes took \(percent(others)) of the machine")
        }
        return found
    }
}

/// Seconds of all cores together, since the machine was started.
private struct ProcessorTimes: Sendable {
    /// `busy` is without `steal`; `own` is this process'.
    let all, busy, steal, own: Double

    static var now: ProcessorTimes? {
        #if os(Linux)
            guard let file = fopen("/proc/stat", "r") else { return nil }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 512)
            guard fgets(&line, Int32(line.count), file) != nil else { return nil }
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // cpu  user nice system idle iowait irq softirq steal …
            let ticks = text.split(whereSeparator: { $0 == " " || $0 == "\n" }).dropFirst().prefix(8).map {
                Double($0) ?? 0
            }
            let second = Double(sysconf(Int32(_SC_CLK_TCK)))
            guard ticks.count == 8, second > 0 else { return nil }
            var usage = rusage()
            #if canImport(Glibc)
                getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            #else
                getrusage(RUSAGE_SELF, &usage)
            #endif
            let own =
                Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
            return ProcessorTimes(
                all: ticks.reduce(0, +) / second,
                busy: (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / second, steal: ticks[7] / second,
                own: own)
        #else
            return nil
        #endif
    }
}
