import Dispatch
import Synchronization
import TinyLayers
package import TinyModels

/// How fast a model reads and decodes, measured as a user would see it. The text is made up: speed does not depend on it.
package struct Benchmark {
    private let model: Model

    package init(model: Model) { self.model = model }

    /// What was measured, again and again.
    package struct Measurement: Sendable {
        /// Tokens a second of each repetition.
        package let speeds: [Double]
        package let noise: MachineNoise
    }

    /// Tokens a second for reading a prompt, each time into an empty cache.
    package func prompt(tokens: Int, repetitions: Int) throws -> Measurement {
        try checkFits(tokens)
        let prompt = madeUpText(tokens, vocabulary: model.spec.vocabulary)
        var decoder = model.decoder(capacity: tokens)
        return try measure(tokens, repetitions) {
            try decoder.truncate(to: 0)
            try decoder.read(prompt) { _ in }
        }
    }

    /// Tokens a second for decoding, each time with as many tokens behind it.
    ///
    /// - Parameter depth: tokens in the cache when decoding begins; one at least.
    package func decode(tokens: Int, depth: Int = 1, repetitions: Int) throws -> Measurement {
        let depth = max(1, depth)
        let (total, overflow) = tokens.addingReportingOverflow(depth)
        try checkFits(overflow ? .max : total)
        var decoder = model.decoder(capacity: total)
        let text = madeUpText(total, vocabulary: model.spec.vocabulary)
        try decoder.read(Array(text[..<depth])) { _ in }
        return try measure(tokens, repetitions) {
            try decoder.truncate(to: depth)
            for token in text[depth...] { try decoder.step(token) { _ in } }
        }
    }

    /// Tokens a second of so many texts together that an `Engine` continues at once.
    ///
    /// - Parameter depth: tokens of each text when decoding begins; one at least.
    package func decodeTogether(streams: Int, tokens: Int, depth: Int = 1, repetitions: Int) throws -> Measurement {
        let depth = max(1, depth)
        let (total, overflow) = tokens.addingReportingOverflow(depth)
        try checkFits(overflow ? .max : total + 1)
        let engine = try Engine(model, Engine.Options(slots: streams, context: total + 1))
        let text = madeUpText(depth + streams, vocabulary: model.spec.vocabulary)
        // They differ in the last token, which alone is read again. Answers are not, as they otherwise are behind the end.
        let requests = (0..<streams).map { stream in
            Engine.Request(
                prompt: text[..<(depth - 1)] + [text[depth + stream]],
                GenerationOptions(maxTokens: tokens, ignoresEnd: true), reuse: .everything)
        }
        return try measure(streams * tokens, repetitions) {
            let outcome = Outcome()
            Task {
                await withTaskGroup { group in
                    for request in requests {
                        group.addTask {
                            do { _ = try await engine.complete(request) } catch { outcome.failed(error) }
                        }
                    }
                }
                outcome.isThere.signal()
            }
            outcome.isThere.wait()
            if let error = outcome.error { throw error }
        }
    }

    /// The token that follows a made-up prompt.
    package func firstToken(behind tokens: Int) throws -> Int {
        try checkFits(tokens)
        let prompt = madeUpText(tokens, vocabulary: model.spec.vocabulary)
        var sampler = try Sampler(.greedy, prompt: prompt, vocabulary: model.spec.vocabulary)
        var decoder = model.decoder(capacity: tokens)
        return try decoder.read(prompt) { sampler.next($0) }
    }

    /// Refused before memory for it is asked for.
    package func checkFits(_ tokens: Int) throws(RunnerError) {
        if let limit = model.contextLimit, tokens > limit { throw .contextTooLong(limit: limit, wanted: tokens) }
    }

    private func measure(_ tokens: Int, _ repetitions: Int, _ body: () throws -> Void) throws -> Measurement {
        try body()  // the warm-up: pages are touched, threads awake
        var noise = MachineNoise()
        let speeds = try (0..<repetitions).map { _ in
            var clock = Stopwatch()
            try body()
            let speed = Double(tokens) / max(clock.lap(), 1e-9)
            noise.calibrate()
            return speed
        }
        noise.finish(speeds: speeds)
        return Measurement(speeds: speeds, noise: noise)
    }
}

/// What tasks tell a thread that waits for them.
private final class Outcome: Sendable {
    let isThere = DispatchSemaphore(value: 0)
    private let failure = Mutex<(any Error)?>(nil)

    func failed(_ error: any Error) { failure.withLock { $0 = error } }
    var error: (any Error)? { failure.withLock(\.self) }
}
