import TinyJSON

/// One event of a stream, as the HTML standard frames it: lines of fields, and an empty line at the end.
struct ServerSentEvent: Sendable, Equatable {
    /// What kind it is; none in OpenAI's chat streams.
    var name: String?
    var data: String

    init(name: String? = nil, data: String) {
        (self.name, self.data) = (name, data)
    }

    init(name: String? = nil, _ value: JSON) {
        self.init(name: name, data: value.written)
    }

    /// What ends a stream of OpenAI's.
    static let done = ServerSentEvent(data: "[DONE]")

    /// A line that readers skip: it shows a proxy and a dead connection that somebody is there.
    static let keepAlive: [UInt8] = Array(": waiting\n\n".utf8)

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        if let name { bytes += "event: \(name)\n".utf8 }
        // A line break inside would end the field.
        for line in Self.lines(data) { bytes += "data: \(line)\n".utf8 }
        bytes.append(0x0A)
        return bytes
    }

    /// By carriage return, line feed or both, as readers of streams cut; empty lines count.
    private static func lines(_ text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    }
}
