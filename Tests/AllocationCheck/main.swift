// Ends with status 1 if a decoded token takes anything from the heap (issue 2): the count is exact, so it is a threshold
// and not a figure. A program and not a test: the count is of a whole process, and only of a release build, as debug
// builds box every closure; so it is built beside the command, from the same modules.
//
//     swift build -c release --product AllocationCheck && .build/release/AllocationCheck Tests/Fixtures

import CAllocationCounter
import TinyGPT
import TinyRunner

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

guard allocation_counter_is_available() else {
    print("allocations cannot be counted here; they are on Linux with glibc and without sanitizers")
    exit(2)
}
guard CommandLine.arguments.count == 2 else {
    print("the folder of fixtures is expected as the only argument")
    exit(64)
}

// The counter counts, or what follows would mean nothing.
allocation_counter_start()
let array = [Int](repeating: Int.random(in: 0...9), count: Int.random(in: 1000...2000))
guard allocation_counter_stop() >= 1, array.count >= 1000 else {
    print("the counter counts nothing")
    exit(2)
}

var runs = 0
var isRight = true
let samplings = [Sampling.greedy, .sampled(topK: 10, seed: 1), .sampled(topP: 0.9, seed: 1)]
for fixture in ["llama-default", "llama-default/model.Q4_0.gguf", "gpt2-default", "llama-dynamic"] {
    for (precision, threads) in [(Precision.fast, 1), (.fast, 2), (.exact, 1), (.exact, 2)] {
        let model = try Model(
            at: CommandLine.arguments[1] + "/" + fixture, precision: precision, threads: threads)
        for sampling in samplings {
            var decoder = model.decoder(capacity: 40)
            let vocabulary = try decoder.read([5, 6, 7]) { $0.count }
            var sampler = try Sampler(sampling, prompt: [], vocabulary: vocabulary)
            var token = 9
            for _ in 0..<3 { token = try decoder.step(token) { sampler.next($0) } }
            allocation_counter_start()
            for _ in 0..<20 { token = try decoder.step(token) { sampler.next($0) } }
            let count = allocation_counter_stop()
            runs += 1
            if count > 0 {
                isRight = false
                print("\(fixture), \(precision), \(threads) threads, \(sampling): \(count) allocations for 20 tokens")
            }
        }
    }
}
// Nor does one that is recorded.
let model = try Model(at: CommandLine.arguments[1] + "/llama-default/model.Q4_0.gguf", threads: 2)
var decoder = model.decoder(capacity: 40)
try decoder.attach(Profile(model, events: 4096))
try decoder.read([5, 6, 7]) { _ in }
for _ in 0..<3 { try decoder.step(9) { _ in } }
allocation_counter_start()
for _ in 0..<20 { try decoder.step(9) { _ in } }
let recorded = allocation_counter_stop()
runs += 1
if recorded > 0 {
    isRight = false
    print("with a profile: \(recorded) allocations for 20 tokens")
}
print(isRight ? "no allocation in \(runs) runs of 20 tokens" : "a decoded token takes memory from the heap")
exit(isRight ? 0 : 1)
