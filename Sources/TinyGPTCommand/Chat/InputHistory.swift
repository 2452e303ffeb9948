import Foundation

/// What was typed in earlier chats, in a file of the user's own: one entry a line, line ends in it as `\n`.
struct InputHistory {
    let path: String
    private(set) var entries: [String] = []

    private static let most = 1000
    /// A file that is longer was not written here, or never cut.
    private static let mostBytes = 1 << 24

    /// Where the XDG Base Directory Specification puts it; nil without a home.
    static func path(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/tinygpt/chat_history" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.local/state/tinygpt/chat_history"
    }

    /// Reads what is there, and cuts the file when it has become twice as long as what is used of it.
    ///
    /// - Throws: `Failure` if there is a file that cannot be read.
    init(path: String) throws(Failure) {
        self.path = path
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 {
            if errno == ENOENT { return }
            throw Self.failure(path, "cannot be opened")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure("\(path): is not a regular file")
        }
        guard status.st_size <= Self.mostBytes else {
            throw Failure("\(path): has \(status.st_size) bytes, too many for a history; remove it")
        }
        fchmod(descriptor, 0o600)
        flock(descriptor, LOCK_EX)
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw Self.failure(path, "cannot be read") }
        let lines = bytes[..<count].split(separator: UInt8(ascii: "\n"))
        entries = lines.suffix(Self.most).map { Self.decoded(String(decoding: $0, as: UTF8.self)) }
        if lines.count > 2 * Self.most {
            let kept = Array(entries.map { Self.encoded($0) + "\n" }.joined().utf8)
            // Shorter than what is there, so it is never without an end.
            if pwrite(descriptor, kept, kept.count, 0) == kept.count { ftruncate(descriptor, off_t(kept.count)) }
        }
    }

    /// Adds an entry at the end of the file, unless it is the last already.
    ///
    /// - Throws: `Failure` if it cannot be written.
    mutating func append(_ entry: String) throws(Failure) {
        if entry == entries.last { return }
        entries.append(entry)
        let folder = (path as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw Failure("\(folder): cannot be made: \(error.localizedDescription)") }
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_APPEND | O_CREAT, 0o600)
        if descriptor < 0 { throw Self.failure(path, "cannot be opened") }
        defer { close(descriptor) }
        flock(descriptor, LOCK_EX)
        let line = Array((Self.encoded(entry) + "\n").utf8)
        guard write(descriptor, line, line.count) == line.count else { throw Self.failure(path, "cannot be written") }
    }

    static func encoded(_ entry: String) -> String {
        var result = ""
        for scalar in entry.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func decoded(_ line: String) -> String {
        var (result, isEscaped) = (String.UnicodeScalarView(), false)
        for scalar in line.unicodeScalars {
            switch (isEscaped, scalar) {
            case (true, "n"): result.append("\n")
            case (true, "r"): result.append("\r")
            case (false, "\\"): break
            default: result.append(scalar)
            }
            isEscaped = !isEscaped && scalar == "\\"
        }
        return String(result)
    }

    private static func failure(_ path: String, _ what: String) -> Failure {
        Failure("\(path): \(what): \(String(cString: strerror(errno)))")
    }
}
