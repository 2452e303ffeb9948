import Foundation
import Synchronization

/// That someone pressed Ctrl-C, or asked the process to end: there is a result so far, which would be lost.
enum Interruption {
    static var wasAskedFor: Bool { wasInterrupted.load(ordering: .relaxed) || endsProcess }
    /// Whether the process as a whole is to end, not only what it is at.
    static var endsProcess: Bool { wasTerminated.load(ordering: .relaxed) }

    static func watch() {
        _ = wasAskedFor  // made here, as a signal handler must not
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                wasInterrupted.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)  // whoever asks twice does not want to wait
            }
        }
        unblock()
    }

    /// Forgets what was asked for before, and watches for as often as someone may ask.
    static func watchAgain() {
        wasInterrupted.store(false, ordering: .relaxed)
        _ = wasAskedFor
        signal(SIGINT) { _ in wasInterrupted.store(true, ordering: .relaxed) }
        signal(SIGTERM) { _ in wasTerminated.store(true, ordering: .relaxed) }
        unblock()
    }

    /// The process ends at once again.
    static func unwatch() {
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }

    /// Started from a thread that takes no signals, a process would not hear of them.
    private static func unblock() {
        var numbers = sigset_t()
        sigemptyset(&numbers)
        for number in [SIGINT, SIGTERM] { sigaddset(&numbers, number) }
        pthread_sigmask(SIG_UNBLOCK, &numbers, nil)
    }
}

private let wasInterrupted = Atomic<Bool>(false)
private let wasTerminated = Atomic<Bool>(false)
