import Foundation

/// A line on standard error that comes and goes, on a terminal only.
struct Progress {
    private let isTerminal = isatty(2) != 0

    func show(_ text: String) {
        if isTerminal { Output.error("\r\u{1B}[K\(text)") }
    }

    func clear() {
        if isTerminal { Output.error("\r\u{1B}[K") }
    }
}

/// How long what has been going on since it was made will still take.
struct RemainingTime {
    private let start = ContinuousClock.now

    /// ", about 12 s left"
    func text(_ done: Int, of total: Int) -> String {
        if done == 0 { return "" }
        let left = start.duration(to: .now).inSeconds * Double(total - done) / Double(done)
        return ", about \(Int(left.rounded(.up))) s left"
    }
}

/// Writing to the standard streams as bytes, at once.
enum Output {
    static func print(_ text: String) throws { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) }

    static func error(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }

    /// One JSON object and a line's end.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        try print(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
    }
}

/// The most memory this process has held, in bytes.
func peakMemory() -> Int {
    var usage = rusage()
    #if canImport(Glibc)
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #else
        getrusage(RUSAGE_SELF, &usage)
    #endif
    #if os(Linux)
        return Int(usage.ru_maxrss) * 1024
    #else
        return Int(usage.ru_maxrss)
    #endif
}

/// What the system calls the processor.
func processorName() -> String {
    #if os(Linux)
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        if let line = lines.first(where: { $0.hasPrefix("model name") }), let colon = line.firstIndex(of: ":") {
            return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
    #endif
    return "unknown processor"
}

extension Double {
    /// With so many digits behind the point.
    func fixed(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }
}

/// 98.4 MB, 1.3 GB, 512 bytes
func size(_ bytes: Int) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
    guard let (unit, name) = units.first(where: { Double(bytes) >= $0.0 }) else { return "\(bytes) bytes" }
    return "\((Double(bytes) / unit).fixed(1)) \(name)"
}

extension String {
    /// Filled up with spaces to so many columns.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }

    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - columns)) + self }

    /// What a terminal would act on, made visible.
    var visible: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || 0x7F..<0xA0 ~= scalar.value:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Double {
    /// 1.25e-05
    var scientific: String { String(format: "%.2e", self) }
}
