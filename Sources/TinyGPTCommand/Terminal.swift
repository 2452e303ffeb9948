import Foundation

/// A line on standard error that comes and goes, on a terminal only.
struct Progress {
    private let isTerminal = isatty(2) != 0

    func show(_ text: String) {
        // Within one row: no more could be taken back.
        if isTerminal { Output.error("\r\u{1B}[K\(text.cut(to: (terminalColumns(2) ?? 80) - 1))") }
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
    /// - Throws: `Failure`, with what the system says.
    static func print(_ text: String) throws { try write(text, to: 1, name: "standard output") }

    static func write(_ text: String, to descriptor: Int32, name: String) throws {
        var text = text
        try text.withUTF8 { bytes in
            var done = 0
            while let base = bytes.baseAddress, done < bytes.count {
                let count = Foundation.write(descriptor, base + done, bytes.count - done)
                if count >= 0 {
                    done += count
                } else if errno != EINTR {
                    throw Failure("\(name): cannot be written: \(String(cString: strerror(errno)))")
                }
            }
        }
    }

    static func error(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }

    /// What a terminal is told, not a reader of the output.
    static func terminal(_ sequence: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data(sequence.utf8))
    }

    /// One JSON object and a line's end.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        try print(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
    }
}

/// How wide the terminal at a descriptor is, if there is one.
private func terminalColumns(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return nil }
    return Int(size.ws_col)
}

/// What the terminal at standard output can show.
struct TerminalStyle {
    var isTerminal = isatty(1) != 0
    var hasColor = false
    /// Columns, for tables.
    var width = 80

    /// By the terminal and by what its user set: https://no-color.org
    static func current(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> TerminalStyle {
        var style = TerminalStyle()
        let name = environment["TERM"] ?? ""
        style.hasColor =
            style.isTerminal && !name.isEmpty && name != "dumb" && (environment["NO_COLOR"] ?? "").isEmpty
        if let columns = terminalColumns(1) {
            style.width = columns
        } else if let columns = environment["COLUMNS"].flatMap({ Int($0) }), (1...10_000).contains(columns) {
            style.width = columns
        }
        return style
    }

    enum Color: Int { case faint = 2, red = 31, green = 32, yellow = 33 }

    func colored(_ text: String, _ color: Color?) -> String {
        guard hasColor, let color, !text.isEmpty else { return text }
        return "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m"
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
    var visible: String { visible(keeping: "") }

    /// The same for a text of many lines.
    var visibleLines: String { visible(keeping: "\n\t") }

    private func visible(keeping kept: String) -> String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case _ where kept.unicodeScalars.contains(scalar): result.unicodeScalars.append(scalar)
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
