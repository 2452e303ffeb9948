import Dispatch
import Synchronization

/// Does asynchronous work, and holds the thread until it is done: the command's main thread has nothing else to do.
func waiting<Value: Sendable>(for work: @escaping @Sendable () async throws -> Value) throws -> Value {
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<Result<Value, any Error>?>(nil)
    Task {
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await work()) } catch { outcome = .failure(error) }
        result.withLock { $0 = outcome }
        done.signal()
    }
    while true {
        done.wait()
        if let outcome = result.withLock({ $0 }) { return try outcome.get() }
    }
}
