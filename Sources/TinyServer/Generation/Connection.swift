import Synchronization

/// Whether a client is still there, and what to do when it goes.
final class Connection: Sendable {
    private struct State {
        var isGone = false
        var actions: [Int: @Sendable () -> Void] = [:]
        var last = 0
    }

    private let state = Mutex(State())
    /// Where the client is, for turns among those who wait.
    let client: String

    init(client: String = "") { self.client = client }

    var isGone: Bool { state.withLock { $0.isGone } }

    /// The client went away: all that was to be done then is done, once.
    func depart() {
        let actions = state.withLock { state in
            defer { state.actions = [:] }
            state.isGone = true
            return Array(state.actions.values)
        }
        for action in actions { action() }
    }

    /// Does something when the client goes, at once if it has gone already.
    ///
    /// - Returns: a number to forget it by.
    func whenGone(_ action: @escaping @Sendable () -> Void) -> Int {
        let number: Int? = state.withLock { state in
            if state.isGone { return nil }
            state.last += 1
            state.actions[state.last] = action
            return state.last
        }
        if number == nil { action() }
        return number ?? 0
    }

    func forget(_ number: Int) { state.withLock { _ = $0.actions.removeValue(forKey: number) } }
}
