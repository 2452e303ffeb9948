import CAllocationCounter
import Testing
import TinyModels
import TinyRunner
import TinyTensor
import TinyTestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A decoded token takes nothing from the heap (issue 2): the count is exact, so it is a threshold and not a figure.
///
/// In a process of its own, as the count is of the whole process and other tests run beside this one.
@Suite("Allocations")
struct AllocationTests {
    // Debug builds box every closure, so only the release build is held to it: swift test -c release --filter Allocations
    #if os(Linux) && !DEBUG
        @Test func noneForADecodedToken() async {
            await #expect(processExitsWith: .success) {
                precondition(allocation_counter_is_available())
                var isRight = true
                for fixture in ["llama-default", "llama-default/model.Q4_0.gguf", "gpt2-default", "llama-dynamic"] {
                    for (precision, threads) in [(Precision.fast, 1), (.fast, 2), (.exact, 1), (.exact, 2)] {
                        let model = try Model(at: Fixtures.path(fixture), precision: precision, threads: threads)
                        var decoder = model.decoder(capacity: 40)
                        try decoder.read([5, 6, 7]) { _ in }
                        var token = 9
                        for _ in 0..<3 { token = try decoder.step(token) { likeliest($0) } }
                        allocation_counter_start()
                        for _ in 0..<20 { token = try decoder.step(token) { likeliest($0) } }
                        let count = allocation_counter_stop()
                        if count > 0 {
                            isRight = false
                            let line =
                                "\(fixture), \(precision), \(threads) threads: \(count) allocations for 20 tokens\n"
                            _ = line.withCString { write(2, $0, strlen($0)) }
                        }
                    }
                }
                exit(isRight ? 0 : 3)
            }
        }

    #endif

    #if os(Linux)
        /// The counter counts, or the test above would mean nothing.
        @Test func theCounterCounts() async {
            await #expect(processExitsWith: .success) {
                precondition(allocation_counter_is_available())
                allocation_counter_start()
                let array = [Int](repeating: Int.random(in: 0...9), count: Int.random(in: 1000...2000))
                let count = allocation_counter_stop()
                precondition(count >= 1 && array.count >= 1000)
            }
        }
    #endif
}

#if os(Linux) && !DEBUG
    private func likeliest(_ logits: Span<Float>) -> Int {
        var best = 0
        var i = 0
        while i < logits.count {
            if logits[i] > logits[best] { best = i }
            i += 1
        }
        return best
    }
#endif
