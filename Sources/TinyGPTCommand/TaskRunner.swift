import Foundation
import Synchronization
import TinyGPT

/// Waits for a task on a thread that is not of Swift's pool.
enum TaskRunner {
    private final class Box<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }

    /// - Parameter isInterruptible: whether Ctrl-C cancels it.
    static func wait<Value: Sendable>(
        isInterruptible: Bool = true, _ body: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let box = Box<Value>()
        let isDone = DispatchSemaphore(value: 0)
        let task = Task.detached {
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            box.result.withLock { $0 = result }
            isDone.signal()
        }
        if !isInterruptible { isDone.wait() }
        while isInterruptible, isDone.wait(timeout: .now() + .milliseconds(10)) == .timedOut {
            if Interruption.wasAskedFor { task.cancel() }
        }
        guard let result = box.result.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }
}

/// While something is being done: no echo of what is typed, which is there for the next prompt unless Ctrl-C ended it, and
/// nothing that was written is lost to Ctrl-C.
final class QuietInput {
    private var before: termios?

    init() {
        var mode = termios()
        guard isatty(0) != 0, tcgetattr(0, &mode) == 0 else { return }
        before = mode
        mode.c_lflag &= ~tcflag_t(ECHO)
        // Else Ctrl-C throws away what was written and not shown yet.
        mode.c_lflag |= tcflag_t(NOFLSH)
        tcsetattr(0, TCSADRAIN, &mode)
    }

    deinit {
        guard var before else { return }
        // As terminals do: whoever stops an answer did not mean what was typed ahead of it.
        if Interruption.wasAskedFor { tcflush(0, TCIFLUSH) }
        tcsetattr(0, TCSADRAIN, &before)
    }
}
