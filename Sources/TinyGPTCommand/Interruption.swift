import Foundation
import Synchronization

/// That someone pressed Ctrl-C, or asked the process to end: there is a result so far, which would be lost.
enum Interruption {
    static var wasAskedFor: Bool { wasInterrupted.load(ordering: .relaxed) }

    static func watch() {
        _ = wasAskedFor  // made here, as a signal handler must not
        var numbers = sigset_t()
        sigemptyset(&numbers)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&numbers, number)
            signal(number) { number in
                wasInterrupted.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)  // whoever asks twice does not want to wait
            }
        }
        // Started from a thread that takes no signals, a process would not hear of them.
        pthread_sigmask(SIG_UNBLOCK, &numbers, nil)
    }
}

private let wasInterrupted = Atomic<Bool>(false)
