import CTinyKernels
import TinyLayers
package import TinyModels
package import TinyTensor
import TinyTokenizer

/// A prompt and some decoding, as a user would have them: with a profile and without, in turn, so that what profiling costs
/// is known too.
package struct ProfileRun {
    package let model: Model
    /// A text to read, instead of made-up tokens.
    package var text: String?
    package var promptTokens = 512
    package var generateTokens = 128
    /// How often each way.
    package var repetitions = 3
    /// Whether single events are kept, of the last repetition.
    package var traces = false

    package init(model: Model) { self.model = model }

    /// What was found.
    package struct Result {
        /// Of the last repetition; it can be written as a trace.
        package let profile: Profile
        package let report: ProfileReport
        package let limits: MachineLimits
        package let promptTokens: Int
        package let generateTokens: Int
        package let prompt: Overhead
        package let decode: Overhead
    }

    /// What profiling costs.
    package struct Overhead: Sendable {
        /// Medians of the wall time.
        package let seconds: Double
        package let profiledSeconds: Double
        /// Of the ratios of neighbours in time, less one; noise can make it negative.
        package let share: Double

        init(_ pairs: [(plain: Double, profiled: Double)]) {
            seconds = median(pairs.map(\.plain))
            profiledSeconds = median(pairs.map(\.profiled))
            share = median(pairs.map { $0.plain > 0 ? $0.profiled / $0.plain - 1 : 0 })
        }
    }

    /// - Parameter onProgress: told what is being done.
    /// - Throws: `RunnerError` if the tokens do not fit, or the model does not continue texts.
    package func run(onProgress: (String) -> Void = { _ in }) throws -> Result {
        let tokenizer = try? model.tokenizer
        var tokens = madeUpText(promptTokens, vocabulary: model.spec.vocabulary)
        if let text { tokens = try model.tokenizer.encodePrompt(text) }
        if tokens.isEmpty { throw RunnerError.noTokens }
        let (wanted, overflow) = tokens.count.addingReportingOverflow(generateTokens)
        if let limit = model.contextLimit, overflow || wanted > limit {
            throw RunnerError.contextTooLong(limit: limit, wanted: overflow ? .max : wanted)
        }
        // Some twenty events a layer on each thread, and more where a prompt is read.
        let passes = generateTokens + tokens.count / 16 + 8
        let events = traces ? min(1 << 24, passes * (model.spec.layers.count + 2) * 64) : 0
        let profile = try Profile(model, events: events)
        var decoder = model.decoder(capacity: overflow ? .max : wanted)

        onProgress("Measuring what the machine can do…")
        var limits = model.compute.measureLimits()
        var (prompts, decodes): ([(plain: Double, profiled: Double)], [(plain: Double, profiled: Double)]) = ([], [])
        for repetition in 0...repetitions {  // the first is the warm-up
            onProgress("Repetition \(repetition) of \(repetitions)…")
            var plain = (0.0, 0.0)
            // Each goes first as often as the other.
            for isProfiled in repetition.isMultiple(of: 2) ? [true, false] : [false, true] {
                if isProfiled { profile.clear() }
                let seconds = try once(&decoder, tokens, tokenizer, isProfiled ? profile : nil)
                if !isProfiled { plain = seconds; continue }
                if repetition > 0 {
                    prompts.append((0, seconds.0))
                    decodes.append((0, seconds.1))
                }
            }
            if repetition > 0 {
                prompts[prompts.count - 1].plain = plain.0
                decodes[decodes.count - 1].plain = plain.1
            }
        }
        limits = limits.better(of: model.compute.measureLimits())
        return Result(
            profile: profile, report: profile.report(), limits: limits, promptTokens: tokens.count,
            generateTokens: generateTokens, prompt: Overhead(prompts), decode: Overhead(decodes))
    }

    /// - Returns: seconds of the prompt, and of decoding.
    private func once(
        _ decoder: inout Decoder, _ tokens: [Int], _ tokenizer: Tokenizer?, _ profile: Profile?
    ) throws -> (Double, Double) {
        try decoder.truncate(to: 0)
        try decoder.attach(profile)
        defer { decoder.detachProfile() }
        var sampler = try Sampler(.greedy, prompt: tokens, vocabulary: model.spec.vocabulary)
        var stream = tokenizer.map { TextStream($0) }
        var token = 0
        var clock = Stopwatch()
        try section(.prompt, profile) {
            if let text, let tokenizer {
                _ = measure(.tokenizer, profile) { tokenizer.encodePrompt(text) }
            }
            token = try decoder.read(tokens) { logits in measure(.sampling, profile) { sampler.next(logits) } }
        }
        let prompt = clock.lap()
        try section(.decode, profile) {
            for _ in 0..<generateTokens {
                measure(.tokenizer, profile) { _ = stream?.append(token) }
                token = try decoder.step(token) { logits in measure(.sampling, profile) { sampler.next(logits) } }
            }
        }
        return (prompt, clock.lap())
    }

    private func section<R>(_ phase: ProfilePhase, _ profile: Profile?, _ body: () throws -> R) rethrows -> R {
        if let profile { return try profile.measure(phase, body) }
        return try body()
    }

    private func measure<R>(_ activity: Profile.Activity, _ profile: Profile?, _ body: () -> R) -> R {
        if let profile { return profile.measure(activity, body) }
        return body()
    }
}

/// The middle one, or the mean of the two in the middle; 0 of none.
package func median(_ values: [Double]) -> Double {
    let (sorted, middle) = (values.sorted(), values.count / 2)
    if sorted.isEmpty { return 0 }
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}

/// Tokens of a text that means nothing: speed does not depend on it.
func madeUpText(_ count: Int, vocabulary: Int) -> [Int] { (0..<count).map { ($0 * 7919 + 17) % vocabulary } }
