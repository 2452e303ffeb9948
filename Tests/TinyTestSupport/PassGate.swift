import Dispatch
import Synchronization

/// Lets an engine make so many passes, and then none until it is opened: what a test does meanwhile does not depend on who is
/// faster.
package final class PassGate: Sendable {
    private struct State {
        var left: Int
        var isOpen = false
    }

    private let state: Mutex<State>
    private let opened = DispatchSemaphore(value: 0)

    package init(passes: Int) { state = Mutex(State(left: passes)) }

    /// Called before each pass.
    package func pass() {
        let waits = state.withLock { state in
            if state.isOpen { return false }
            defer { state.left -= 1 }
            return state.left <= 0
        }
        if !waits { return }
        opened.wait()
        opened.signal()
    }

    package func open() {
        state.withLock { $0.isOpen = true }
        opened.signal()
    }
}
