/// The keys that open a server, one or many. They are compared in a time that says nothing about them, and have no description.
public struct APIKeys: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let keys: [[UInt8]]

    public var description: String { "\(keys.count) keys" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// - Parameters:
    ///   - text: a key a line; empty lines and those that begin with `#` are left out.
    ///   - source: where they come from, for messages.
    /// - Throws: `ServerError.badKeys` if there is none, or one that no header could carry.
    public init(lines text: String, source: String) throws(ServerError) {
        var keys: [[UInt8]] = []
        // By bytes: to Swift a line's end of two characters is one of its own.
        for (index, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            var bytes = line
            while let last = bytes.last, [0x20, 0x09, 0x0D].contains(last) { bytes = bytes.dropLast() }
            while let first = bytes.first, [0x20, 0x09].contains(first) { bytes = bytes.dropFirst() }
            if bytes.isEmpty || bytes.first == UInt8(ascii: "#") { continue }
            guard bytes.allSatisfy({ 0x21...0x7E ~= $0 }) else {
                throw .badKeys(
                    source: source, reason: "line \(index + 1) holds a space or a character that no header carries")
            }
            keys.append(Array(bytes))
        }
        if keys.isEmpty { throw .badKeys(source: source, reason: "there is no key in it; one a line is expected") }
        self.keys = keys
    }

    /// Whether this is one of the keys. How long it takes depends on what was sent and on how many keys there are, not on what
    /// they are.
    func contains(_ sent: String) -> Bool {
        let sent = Array(sent.utf8)
        var found: UInt8 = 0
        for key in keys { found |= Self.isEqual(sent, key) }
        return found != 0
    }

    private static func isEqual(_ sent: [UInt8], _ key: [UInt8]) -> UInt8 {
        var difference = sent.count == key.count ? UInt8(0) : 1
        for (index, byte) in sent.enumerated() { difference |= byte ^ key[index % key.count] }
        return difference == 0 ? 1 : 0
    }
}
