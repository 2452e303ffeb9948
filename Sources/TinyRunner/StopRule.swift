/// Watches a text that arrives in pieces for strings at which it must stop, and holds back what may be the start of one.
package struct StopRule: Sendable {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []
    /// The stop string that was found.
    package private(set) var found: String?

    /// - Parameter stops: empty ones are left out, as every text would end at once.
    package init(_ stops: [String]) { self.stops = stops.filter { !$0.isEmpty }.map { Array($0.utf8) } }

    /// Adds whole characters, and returns the text that is now certain to come before any stop string.
    package mutating func append(_ text: String) -> String {
        if stops.isEmpty || found != nil { return found == nil ? text : "" }
        held += text.utf8
        // The earliest match wins; of two that begin together, the one listed first.
        for start in held.indices {
            if let stop = stops.first(where: { held[start...].starts(with: $0) }) {
                found = String(decoding: stop, as: UTF8.self)
                return release(start)
            }
            if stops.contains(where: { $0.starts(with: held[start...]) }) { return release(start) }
        }
        return release(held.count)
    }

    /// The text is over: what was held back was not the longer stop string after all, but may hold a shorter one.
    package mutating func finish() -> String {
        if found != nil { return "" }
        for start in held.indices {
            guard let stop = stops.first(where: { held[start...].starts(with: $0) }) else { continue }
            found = String(decoding: stop, as: UTF8.self)
            return release(start)
        }
        return release(held.count)
    }

    private mutating func release(_ count: Int) -> String {
        defer { held.removeFirst(count) }
        return String(decoding: held[..<count], as: UTF8.self)
    }
}
