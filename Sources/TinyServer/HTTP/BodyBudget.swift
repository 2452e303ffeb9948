import Synchronization

/// The memory that bodies take while they are received, of all clients together.
final class BodyBudget: Sendable {
    private let free: Mutex<Int>

    init(_ bytes: Int) { free = Mutex(bytes) }

    /// - Returns: whether there is room; if not, nothing is taken.
    func take(_ bytes: Int) -> Bool {
        free.withLock { free in
            guard bytes <= free else { return false }
            free -= bytes
            return true
        }
    }

    func give(_ bytes: Int) { free.withLock { $0 += bytes } }
}
